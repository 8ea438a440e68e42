//! Jobs: calls of any operator that run on the pool's threads while JavaScript goes on. A job owns what it reads and writes
//! ([`Kept`](crate::array::Kept)); at its end a callback runs on the JavaScript thread that started it.
//!
//! When that thread comes to its end first (`worker.terminate()`), its jobs are cancelled, and V8's memory is given up only after
//! those that had begun have stopped, which takes them one tile.

use crate::error::Failure;
use crate::runtime::runtime;
use corr2d_kernels::parallel::{Cancel, Pool};
use napi::bindgen_prelude::FnArgs;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

/// `(code, message)` of what went wrong, or twice null.
type Outcome = FnArgs<(Option<String>, Option<String>)>;

/// The callback at a job's end; until it is gone, the event loop stays alive.
pub type Done = ThreadsafeFunction<Outcome, (), Outcome, Status, false>;

/// What is to be done: it gives back what it kept, which is let go on the JavaScript thread.
type Work = Box<dyn FnOnce(&Pool) -> (Result<(), Failure>, Box<dyn Any + Send>) + Send>;

struct Job {
    cancel: Arc<Cancel>,
    /// Gone once the work has begun; locked as long as it goes on.
    task: Mutex<Option<(Work, Done)>>,
}

/// The jobs of a JavaScript thread that have not ended.
#[derive(Default)]
struct Jobs {
    last: u32,
    is_watched: bool,
    under_way: HashMap<u32, Arc<Job>>,
}

thread_local! {
    // Numbers of jobs never leave their JavaScript thread.
    static JOBS: RefCell<Jobs> = RefCell::default();
}

impl Job {
    fn lock(&self) -> MutexGuard<'_, Option<(Work, Done)>> {
        self.task.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Runs on a thread of the pool.
    fn run(&self, number: u32, pool: &Pool) {
        let mut task = self.lock();
        let Some((work, done)) = task.take() else { return };
        let pool = pool.cancellable(self.cancel.clone());
        let result = catch_unwind(AssertUnwindSafe(|| work(&pool)));
        drop(task);
        let (outcome, kept) = match result {
            Ok((result, kept)) => (result, Some(kept)),
            Err(_) => (Err(Failure::System("the computation panicked".into())), None),
        };
        let outcome = match outcome {
            Ok(()) => (None, None),
            Err(failure) => {
                let (code, message) = failure.code_and_message();
                (code.map(Into::into), Some(message))
            }
        };
        // Refused only where the JavaScript thread is coming to its end.
        done.call_with_return_value(outcome.into(), ThreadsafeFunctionCallMode::NonBlocking, move |_, _| {
            JOBS.with_borrow_mut(|jobs| jobs.under_way.remove(&number));
            drop(kept);
            Ok(())
        });
    }
}

/// Starts `work` on the pool's threads, after those started before. `done` is called when it has ended, also after a
/// cancellation that came too late; it is not called when the work had not begun at the time of the cancellation.
///
/// Returns the job's number for [`cancel_job`].
pub(crate) fn start<K: Send + 'static>(
    env: &Env,
    done: Done,
    work: impl FnOnce(&Pool) -> (Result<(), Failure>, K) + Send + 'static,
) -> Result<u32, Failure> {
    let pool = runtime()?.pool();
    let work: Work = Box::new(|pool| {
        let (result, kept) = work(pool);
        (result, Box::new(kept))
    });
    let job = Arc::new(Job { cancel: Arc::default(), task: Mutex::new(Some((work, done))) });
    let number = JOBS.with_borrow_mut(|jobs| {
        if !jobs.is_watched {
            env.add_env_cleanup_hook((), |()| end_all())
                .map_err(|error| Failure::System(error.to_string()))?;
            jobs.is_watched = true;
        }
        jobs.last = jobs.last.wrapping_add(1);
        jobs.under_way.insert(jobs.last, job.clone());
        Ok::<_, Failure>(jobs.last)
    })?;
    let spawned = pool.clone();
    pool.spawn(move || job.run(number, &spawned));
    Ok(number)
}

/// Stops the job of that number within one tile, and lets go of what it kept. A job that has ended, or never was, is left alone.
#[napi(catch_unwind)]
pub fn cancel_job(number: u32) {
    let Some(job) = JOBS.with_borrow(|jobs| jobs.under_way.get(&number).cloned()) else { return };
    job.cancel.cancel();
    // What has not begun never will.
    let waiting = job.task.try_lock().ok().and_then(|mut task| task.take());
    if waiting.is_some() {
        JOBS.with_borrow_mut(|jobs| jobs.under_way.remove(&number));
    }
}

/// The end of the JavaScript thread: after this no thread touches memory of its V8.
fn end_all() {
    let jobs = JOBS.with_borrow_mut(|jobs| std::mem::take(&mut jobs.under_way));
    jobs.values().for_each(|job| job.cancel.cancel());
    for job in jobs.values() {
        // Waits for the tile that a thread is at.
        let waiting = job.lock().take();
        drop(waiting);
    }
}
