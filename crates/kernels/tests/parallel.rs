//! The pool of threads: every tile once, and panics that reach the caller and leave the pool in order.

use corr2d_kernels::parallel::Pool;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

fn pool(threads: usize) -> Pool {
    Pool::new(threads).expect("threads can be started")
}

fn assert_every_tile_once(pool: &Pool, tiles: usize, threads: usize) {
    let visits: Vec<AtomicUsize> = (0..tiles).map(|_| AtomicUsize::new(0)).collect();
    pool.for_each(tiles, threads, |tile| {
        visits[tile].fetch_add(1, Ordering::Relaxed);
    });
    for (tile, visits) in visits.iter().enumerate() {
        assert_eq!(visits.load(Ordering::Relaxed), 1, "tile {tile} of {tiles}, {threads} threads");
    }
}

#[test]
fn every_tile_runs_once() {
    for size in [0, 1, 2, 3, 8] {
        let pool = pool(size);
        assert_eq!(pool.threads(), size.max(1));
        for tiles in [0, 1, 2, 3, 7, 64, 1000] {
            for threads in [0, 1, 2, 3, 100, usize::MAX] {
                assert_every_tile_once(&pool, tiles, threads);
            }
        }
    }
}

#[test]
fn there_is_at_least_one_thread_by_default() {
    assert!(Pool::default_threads() >= 1);
}

/// Tiles that wait for each other end only if they run at the same time.
#[test]
fn the_threads_work_at_the_same_time() {
    let meeting = Barrier::new(3);
    pool(3).for_each(3, 3, |_| {
        meeting.wait();
    });
}

#[test]
fn no_more_threads_than_asked_for() {
    let pool = pool(4);
    for threads in [1, 2, 3] {
        let seen = Mutex::new(HashSet::new());
        pool.for_each(60, threads, |_| {
            seen.lock().expect("no panic").insert(thread::current().id());
            thread::sleep(Duration::from_micros(200));
        });
        let seen = seen.into_inner().expect("no panic");
        assert!(seen.len() <= threads, "{} threads worked, not {threads}", seen.len());
    }
}

#[test]
fn one_thread_is_the_caller() {
    let caller = thread::current().id();
    for (size, threads) in [(1, 1), (1, 8), (3, 1)] {
        pool(size).for_each(10, threads, |_| assert_eq!(thread::current().id(), caller));
    }
    pool(3).for_each(1, 3, |_| assert_eq!(thread::current().id(), caller));
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_still_works() {
    for size in [1, 2, 3] {
        let pool = pool(size);
        for guilty in [0, 1, 17, 49] {
            let running = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.for_each(50, size, |tile| {
                    running.fetch_add(1, Ordering::SeqCst);
                    let _ended = Defer(|| {
                        running.fetch_sub(1, Ordering::SeqCst);
                    });
                    thread::sleep(Duration::from_micros(50));
                    assert_ne!(tile, guilty, "the guilty tile");
                });
            }));
            let message =
                *result.expect_err("the panic is not lost").downcast::<String>().expect("a message");
            assert!(message.contains("the guilty tile"), "{message}");
            assert_eq!(running.load(Ordering::SeqCst), 0, "a tile outlived the call");
            assert_every_tile_once(&pool, 100, size);
        }
    }
}

/// Whichever threads meet the panic, every one of them.
#[test]
fn a_panic_on_every_thread_is_one_panic() {
    let pool = pool(3);
    let meeting = Barrier::new(3);
    let result = catch_unwind(AssertUnwindSafe(|| {
        pool.for_each(3, 3, |tile| {
            meeting.wait();
            panic!("tile {tile}");
        });
    }));
    assert!(result.is_err());
    assert_every_tile_once(&pool, 100, 3);
}

#[test]
fn several_callers_share_a_pool() {
    let pool = pool(3);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|tiles| assert_every_tile_once(&pool, tiles, 3)));
        }
    });
}

/// Calls its function when it is dropped, by a panic too.
struct Defer<F: Fn()>(F);

impl<F: Fn()> Drop for Defer<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
