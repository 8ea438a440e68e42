//! The plan object of JavaScript, one class for all operators.

use crate::array::Array;
use crate::conv;
use crate::conv_transpose;
use crate::error::{Failure, throw};
use crate::explain::NativeExplanation;
use crate::params::{Params, conv_place, pool_place};
use crate::plan::{Registered, Run};
use crate::pool;
use crate::recent::Request;
use napi::Env;
use napi_derive::napi;
use std::sync::Arc;

/// An operator made ready, with its algorithm chosen and its weight packed, run by `runPlan`.
#[napi]
pub struct NativePlan {
    plan: Arc<dyn Run>,
    registered: Registered,
}

/// The operators by their numbers (`OPERATOR` in `src/params.ts`), each with its plan and the most threads that it may use.
fn planned(
    operator: f64,
    params: Params<'_>,
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
) -> Result<(Arc<dyn Run>, usize), Failure> {
    let request = Request { params, weight: weight.unwrap_or_default(), bias };
    Ok(match operator {
        0.0 => (Arc::new(conv::plan(request)?), params.threads(conv_place::THREADS)?),
        1.0 => (Arc::new(conv_transpose::plan(request)?), params.threads(conv_place::THREADS)?),
        2.0 => (Arc::new(pool::plan(params)?), params.threads(pool_place::THREADS)?),
        _ => return Err(Failure::Value(format!("expected 0, 1 or 2 for the operator, received {operator}"))),
    })
}

#[napi]
impl NativePlan {
    /// Plans an operator; weight and bias are copied, and null where it has none.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        operator: f64,
        #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
        #[napi(ts_arg_type = "Float32Array | null")] weight: Option<Array<f32>>,
        #[napi(ts_arg_type = "Float32Array | null")] bias: Option<Array<f32>>,
    ) -> napi::Result<NativePlan> {
        let (weight, bias) = (weight.as_ref().map(Array::read), bias.as_ref().map(Array::read));
        let planned = planned(operator, Params(params.read()), weight, bias);
        let registered = planned
            .map(|(plan, threads)| NativePlan { registered: Registered::new(plan.clone(), threads), plan });
        throw(&env, registered)
    }

    /// The plan's number, valid as long as this object lives.
    #[napi(getter, catch_unwind)]
    pub fn handle(&self) -> f64 {
        self.registered.handle()
    }

    /// The algorithm's name; of several, that of the one that has most to do.
    #[napi(getter, catch_unwind)]
    pub fn algorithm(&self) -> &str {
        self.plan.algorithm()
    }

    /// Why it is as it is.
    #[napi(catch_unwind)]
    pub fn explain(&self) -> NativeExplanation {
        self.plan.explain()
    }

    /// The instruction set's name.
    #[napi(getter, catch_unwind)]
    pub fn isa(&self) -> &str {
        self.plan.isa().name()
    }

    /// Operations of the direct method.
    #[napi(getter, catch_unwind)]
    pub fn flops(&self) -> f64 {
        self.plan.flops()
    }

    /// Bytes of input, weight and output.
    #[napi(getter, catch_unwind)]
    pub fn bytes(&self) -> f64 {
        self.plan.bytes()
    }
}
