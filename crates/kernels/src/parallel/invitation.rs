//! A call that other threads may join, which borrows what they work on from the thread that made it.

use super::lounge::PATIENCE;
use std::any::Any;
use std::mem::transmute;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::yield_now;
use std::time::Instant;

/// A call that helpers may join until it is closed.
pub(super) struct Invitation {
    guests: Mutex<Guests>,
    left: Condvar,
}

struct Guests {
    /// What to do; nothing once the call is closed.
    call: Option<Call>,
    /// Helpers that are at it.
    working: usize,
    /// The first panic of a helper.
    panic: Option<Box<dyn Any + Send>>,
}

#[derive(Clone, Copy)]
struct Call(*const (dyn Fn() + Sync));

// SAFETY: it points to a function that may be called from any thread; how long is [`Invitation`]'s business.
unsafe impl Send for Call {}

impl Invitation {
    /// Runs `drain` on this thread and on those that accept the invitation which `send` passes on. A panic of theirs goes on here.
    pub(super) fn share(drain: &(dyn Fn() + Sync), send: impl FnOnce(&Arc<Invitation>)) {
        // SAFETY: only the lifetime changes; `accept` calls it only before `close` has returned, which `Host` sees to.
        let call = unsafe { transmute::<*const (dyn Fn() + Sync + '_), *const (dyn Fn() + Sync)>(drain) };
        let guests = Guests { call: Some(Call(call)), working: 0, panic: None };
        let invitation = Arc::new(Invitation { guests: Mutex::new(guests), left: Condvar::new() });
        let host = Host(&invitation);
        send(&invitation);
        drain();
        drop(host);
        if let Some(panic) = invitation.lock().panic.take() {
            resume_unwind(panic);
        }
    }

    /// Joins the call, unless it is over.
    pub(super) fn accept(&self) {
        let call = {
            let mut guests = self.lock();
            let Some(call) = guests.call else { return };
            guests.working += 1;
            call
        };
        // SAFETY: the call was open and this helper is counted, so `close` waits for it.
        let result = catch_unwind(AssertUnwindSafe(|| unsafe { (*call.0)() }));
        let mut guests = self.lock();
        guests.working -= 1;
        if let Err(panic) = result {
            guests.panic.get_or_insert(panic);
        }
        self.left.notify_one();
    }

    /// Lets nobody in any more and waits for those who are in, at first awake.
    fn close(&self) {
        self.lock().call = None;
        let start = Instant::now();
        loop {
            let guests = self.lock();
            if guests.working == 0 {
                return;
            }
            if start.elapsed() > PATIENCE {
                let all_left = self.left.wait_while(guests, |guests| guests.working > 0);
                return drop(all_left.unwrap_or_else(PoisonError::into_inner));
            }
            drop(guests);
            yield_now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Guests> {
        // Nothing panics while it is held.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the invitation at the end of the call, by a panic too.
struct Host<'a>(&'a Invitation);

impl Drop for Host<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
