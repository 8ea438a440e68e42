//! Where helpers that are done stay awake for a moment: the calls of a network follow each other at once, and waking a thread takes
//! the system as long as a small layer.

use super::invitation::Invitation;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// How long a thread stays awake, longer than others usually take for the rest of a call. Meanwhile it yields to every other thread.
pub(super) const PATIENCE: Duration = Duration::from_micros(100);

#[derive(Default)]
pub(super) struct Lounge {
    /// Helpers that wait, less those that an invitation is meant for.
    free: AtomicUsize,
    /// Invitations for some of those who wait.
    invitations: Mutex<Vec<Arc<Invitation>>>,
    /// Spawned calls that nobody has begun.
    announced: AtomicUsize,
}

impl Lounge {
    /// Says that a call is spawned: nobody waits here until it has begun.
    pub(super) fn announce(&self) {
        self.announced.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that a spawned call has begun.
    pub(super) fn begin(&self) {
        self.announced.fetch_sub(1, Ordering::Relaxed);
    }

    /// Hands the invitation to one of those who wait, if there is one.
    pub(super) fn hand(&self, invitation: &Arc<Invitation>) -> bool {
        let is_taken = self.leave();
        if is_taken {
            self.lock().push(invitation.clone());
        }
        is_taken
    }

    /// Waits for an invitation, but not for long.
    pub(super) fn wait(&self) -> Option<Arc<Invitation>> {
        self.free.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        loop {
            if let Some(invitation) = self.lock().pop() {
                return Some(invitation);
            }
            let is_over = self.announced.load(Ordering::Relaxed) > 0 || start.elapsed() > PATIENCE;
            // Where nobody is free, the invitation that is meant for this helper is on its way.
            if is_over && self.leave() {
                return None;
            }
            yield_now();
        }
    }

    /// Makes the free one fewer, if there are any.
    fn leave(&self) -> bool {
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(1)).is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Invitation>>> {
        // Nothing panics while it is held.
        self.invitations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
