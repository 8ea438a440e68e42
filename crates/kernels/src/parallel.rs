//! The pool of threads, and how tiles are shared out. Tiles never depend on the number of threads, so neither do results.

mod invitation;
mod lounge;

use invitation::Invitation;
use lounge::Lounge;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Tells calls to stop, from any thread; it can't be taken back.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Stops the calls of every pool made with [`Pool::cancellable`] from this token: no tile begins any more.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`Cancel::cancel`] was called. After a run, `false` says that the output is complete.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Threads that help a calling thread, which works too, and that take whole calls off it ([`Pool::spawn`]). A clone shares them.
#[derive(Clone)]
pub struct Pool {
    threads: usize,
    /// None where there are no threads (WebAssembly): the caller does everything.
    helpers: Option<Arc<ThreadPool>>,
    /// Invitations that no helper has read yet.
    unread: Arc<AtomicUsize>,
    /// Helpers that are awake.
    lounge: Arc<Lounge>,
    cancel: Option<Arc<Cancel>>,
}

/// While helpers are busy, their invitations pile up; beyond so many for each of them, no more are sent.
const MOST_UNREAD: usize = 4;

impl Pool {
    /// A pool in which `threads` threads (at least 1) work on a call: the caller with helpers, or the helpers on a spawned call.
    pub fn new(threads: usize) -> Result<Pool, ThreadPoolBuildError> {
        if cfg!(target_family = "wasm") {
            return Ok(Pool::of(1, None));
        }
        let threads = threads.max(1);
        let helpers =
            ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("corr2d-{i}")).build()?;
        Ok(Pool::of(threads, Some(Arc::new(helpers))))
    }

    fn of(threads: usize, helpers: Option<Arc<ThreadPool>>) -> Pool {
        Pool { threads, helpers, unread: Arc::default(), lounge: Arc::default(), cancel: None }
    }

    /// The processors this process may use: its affinity mask and its cgroup's quota, whichever is smaller.
    pub fn default_threads() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// Threads that work on one call, the caller among them.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The same threads, whose calls stop within one tile once `cancel` says so; their output is then incomplete.
    pub fn cancellable(&self, cancel: Arc<Cancel>) -> Pool {
        Pool { cancel: Some(cancel), ..self.clone() }
    }

    /// Calls `work` on one of the pool's threads, in the order of these calls, without waiting for it. A panic in it aborts the
    /// process, so `work` has to catch its own.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        match &self.helpers {
            Some(helpers) => {
                let lounge = self.lounge.clone();
                lounge.announce();
                helpers.spawn_fifo(move || {
                    lounge.begin();
                    work();
                });
            }
            None => work(),
        }
    }

    /// Calls `work` once for every tile in `0..tiles`, on at most `threads` threads, and returns when all are done or, if it was
    /// cancelled, when those that had begun are. A panic in `work` reaches the caller after every tile that had begun is over.
    ///
    /// Helpers are invited, not awaited: who is busy with another call does not hold up this one. On one thread this allocates
    /// nothing; on more, the invitation and rayon's job for each helper.
    pub fn for_each(&self, tiles: usize, threads: usize, work: impl Fn(usize) + Sync) {
        self.for_each_of(tiles, threads, &work);
    }

    /// Compiled once for all kinds of work.
    fn for_each_of(&self, tiles: usize, threads: usize, work: &(dyn Fn(usize) + Sync)) {
        let threads = threads.min(self.threads).min(tiles);
        let cancelled = || self.cancel.as_ref().is_some_and(|cancel| cancel.is_cancelled());
        match &self.helpers {
            Some(pool) if threads > 1 => {
                let next = AtomicUsize::new(0);
                self.share(pool, threads - 1, &|| {
                    while !cancelled() {
                        let tile = next.fetch_add(1, Ordering::Relaxed);
                        if tile >= tiles {
                            break;
                        }
                        work(tile);
                    }
                });
            }
            _ => (0..tiles).take_while(|_| !cancelled()).for_each(work),
        }
    }

    /// Runs `drain` on this thread and on those of `helpers` invited threads that come while it does.
    fn share(&self, pool: &ThreadPool, helpers: usize, drain: &(dyn Fn() + Sync)) {
        Invitation::share(drain, |invitation| {
            for _ in 0..helpers {
                if !self.lounge.hand(invitation) && !self.send(pool, invitation.clone()) {
                    break;
                }
            }
        });
    }

    /// Sends an invitation, unless too many are unread.
    fn send(&self, pool: &ThreadPool, invitation: Arc<Invitation>) -> bool {
        if self.unread.load(Ordering::Relaxed) >= MOST_UNREAD * self.threads {
            return false;
        }
        let (unread, lounge) = (self.unread.clone(), self.lounge.clone());
        unread.fetch_add(1, Ordering::Relaxed);
        pool.spawn(move || {
            unread.fetch_sub(1, Ordering::Relaxed);
            let mut next = Some(invitation);
            while let Some(invitation) = next {
                invitation.accept();
                next = lounge.wait();
            }
        });
        true
    }
}
