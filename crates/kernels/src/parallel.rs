//! The pool of threads, and how tiles are shared out. Tiles never depend on the number of threads, so neither do results.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Helpers of the calling thread, which works too: a pool of 1 has none.
pub struct Pool {
    threads: usize,
    helpers: Option<ThreadPool>,
}

impl Pool {
    /// A pool in which `threads` threads work on a call, the caller among them.
    pub fn new(threads: usize) -> Result<Pool, ThreadPoolBuildError> {
        let helpers = match threads {
            0 | 1 => None,
            n => Some(
                ThreadPoolBuilder::new().num_threads(n - 1).thread_name(|i| format!("corr2d-{i}")).build()?,
            ),
        };
        Ok(Pool { threads: threads.max(1), helpers })
    }

    /// The processors this process may use: its affinity mask and its cgroup's quota, whichever is smaller.
    pub fn default_threads() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// Threads that work on one call, the caller among them.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Calls `work` once for every tile in `0..tiles`, on at most `threads` threads, and returns when all are done. A panic in
    /// `work` reaches the caller after every tile that had begun is over.
    pub fn for_each(&self, tiles: usize, threads: usize, work: impl Fn(usize) + Sync) {
        let threads = threads.min(self.threads).min(tiles);
        match &self.helpers {
            Some(helpers) if threads > 1 => {
                let next = AtomicUsize::new(0);
                let drain = || {
                    loop {
                        let tile = next.fetch_add(1, Ordering::Relaxed);
                        if tile >= tiles {
                            break;
                        }
                        work(tile);
                    }
                };
                helpers.in_place_scope(|scope| {
                    for _ in 1..threads {
                        scope.spawn(|_| drain());
                    }
                    drain();
                });
            }
            _ => (0..tiles).for_each(work),
        }
    }
}
