//! The pool of threads: every tile once, and panics that reach the caller and leave the pool in order.

use corr2d_kernels::parallel::{Cancel, Pool};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
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

/// Calls that follow each other meet helpers that are awake, about to sleep, or asleep; tiles that wait for each other end only if
/// all come.
#[test]
fn helpers_come_to_every_call() {
    let pool = pool(3);
    for call in 0..2000 {
        let meeting = Barrier::new(3);
        pool.for_each(3, 3, |_| {
            meeting.wait();
        });
        thread::sleep(Duration::from_micros(call % 10 * 20));
    }
}

/// A helper that is awake after one call leaves for a spawned one.
#[test]
fn a_spawned_call_follows_a_shared_one() {
    let pool = pool(2);
    let (sender, receiver) = mpsc::channel();
    for turn in 0..500 {
        assert_every_tile_once(&pool, 4, 2);
        let sender = sender.clone();
        pool.spawn(move || sender.send(turn).expect("the receiver waits"));
    }
    assert_eq!(receiver.iter().take(500).collect::<HashSet<_>>().len(), 500);
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

/// Helpers that another call keeps busy are not waited for.
#[test]
fn a_busy_pool_holds_up_nobody() {
    let pool = pool(3);
    let (busy, release) = (Barrier::new(4), Barrier::new(4));
    thread::scope(|scope| {
        scope.spawn(|| {
            pool.for_each(3, 3, |_| {
                busy.wait();
                release.wait();
            });
        });
        busy.wait();
        // One helper is left of three; then none, and far more invitations than are ever sent.
        (0..100).for_each(|tiles| assert_every_tile_once(&pool, tiles, 3));
        release.wait();
    });
    assert_every_tile_once(&pool, 100, 3);
}

#[test]
fn a_cancelled_call_begins_no_tile() {
    for (size, cancelled_at) in [(1, 0), (1, 5), (3, 0), (3, 5)] {
        let cancel = Arc::new(Cancel::default());
        let original = pool(size);
        let pool = original.cancellable(cancel.clone());
        let begun = AtomicUsize::new(0);
        pool.for_each(1000, size, |_| {
            if begun.fetch_add(1, Ordering::SeqCst) >= cancelled_at {
                cancel.cancel();
            }
        });
        let begun = begun.into_inner();
        // Each other thread may be in the middle of beginning a tile.
        assert!((cancelled_at + 1..=cancelled_at + size).contains(&begun), "{begun} tiles on {size} threads");
        assert!(cancel.is_cancelled());
        pool.for_each(10, size, |tile| panic!("tile {tile} after the end"));
        assert_every_tile_once(&original, 100, size);
    }
}

/// A spawned call runs elsewhere, in turn, and may share its tiles out.
#[test]
fn a_spawned_call_uses_the_whole_pool() {
    for size in [1, 2, 3] {
        let pool = pool(size);
        let (sender, receiver) = mpsc::channel();
        let caller = thread::current().id();
        for turn in 0..20 {
            let (spawned, sender) = (pool.clone(), sender.clone());
            pool.spawn(move || {
                let meeting = Barrier::new(if turn == 0 { size } else { 1 });
                spawned.for_each(if turn == 0 { size } else { 50 }, size, |_| {
                    assert_ne!(thread::current().id(), caller);
                    meeting.wait();
                });
                sender.send(turn).expect("the receiver waits");
            });
        }
        let mut turns: Vec<i32> = receiver.iter().take(20).collect();
        if size > 1 {
            turns.sort_unstable();
        }
        assert!(turns.iter().copied().eq(0..20), "{turns:?}");
    }
}

/// Calls its function when it is dropped, by a panic too.
struct Defer<F: Fn()>(F);

impl<F: Fn()> Drop for Defer<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
