//! Explanations of plans as JavaScript objects; the sentences are the facade's.

use corr2d_kernels::conv::{Candidate, ConvPlan, Explanation, Lanes, RegisterTile, TransposedPlan};
use corr2d_kernels::pool::PoolPlan;
use napi_derive::napi;

/// An algorithm that could have been taken.
#[napi(object)]
pub struct NativeCandidate {
    /// Its name.
    pub name: String,
    /// Estimated issue slots of a vector multiply-add for one image.
    pub cost: f64,
    /// Share of the peak of multiply-adds that this comes to; 0 where memory is the limit.
    pub share: f64,
}

/// Why a plan is as it is.
#[napi(object)]
pub struct NativeExplanation {
    /// Whether the algorithm was asked for.
    pub is_forced: bool,
    /// All that support the geometry, the cheapest first.
    pub candidates: Vec<NativeCandidate>,
    /// Rows of the register tile.
    pub rows: u32,
    /// Vectors of a row.
    pub vectors: u32,
    /// Floats of a vector.
    pub lanes: u32,
    /// What the lanes are: `pixels`, `channels` or `columns`.
    pub lanes_are: String,
    /// Parts that threads can share.
    pub parts: f64,
    /// Scratch memory of each thread.
    pub scratch_bytes: f64,
    /// Share of the peak of multiply-adds that the estimate comes to; none where memory is the limit.
    pub expected_share: Option<f64>,
}

/// What kinds of plans tell of themselves, each in its own words.
pub(crate) trait Explain {
    /// The algorithm's name; of several, that of the one that has most to do.
    fn algorithm(&self) -> &str;

    /// Why it is as it is.
    fn explain(&self) -> NativeExplanation;
}

impl Explain for ConvPlan {
    fn algorithm(&self) -> &str {
        self.algorithm().name
    }

    fn explain(&self) -> NativeExplanation {
        convolution(self.explain(), self.isa().lanes())
    }
}

impl Explain for TransposedPlan {
    fn algorithm(&self) -> &str {
        self.algorithm()
    }

    fn explain(&self) -> NativeExplanation {
        transposed_convolution(self.explain(), self.isa().lanes())
    }
}

impl Explain for PoolPlan {
    fn algorithm(&self) -> &str {
        self.algorithm()
    }

    fn explain(&self) -> NativeExplanation {
        pooling(self)
    }
}

const FLOAT: f64 = size_of::<f32>() as f64;

fn convolution(explanation: Explanation, lanes: usize) -> NativeExplanation {
    let lanes_are = match explanation.tile.lanes {
        Lanes::Pixels => "pixels",
        Lanes::Channels => "channels",
        Lanes::Columns => "columns",
    };
    let candidates = explanation.candidates.iter();
    NativeExplanation {
        is_forced: explanation.is_forced,
        candidates: candidates
            .map(|&Candidate { name, cost, share }| NativeCandidate { name: name.into(), cost, share })
            .collect(),
        rows: explanation.tile.rows as u32,
        vectors: explanation.tile.vectors as u32,
        lanes: lanes as u32,
        lanes_are: lanes_are.into(),
        parts: explanation.parts as f64,
        scratch_bytes: explanation.scratch_len as f64 * FLOAT,
        expected_share: Some(explanation.expected_share),
    }
}

/// Where no tap reaches the output, there is nothing to explain.
fn transposed_convolution(explanation: Option<Explanation>, lanes: usize) -> NativeExplanation {
    let tile = RegisterTile { rows: 1, vectors: 1, lanes: Lanes::Pixels };
    let nothing = || Explanation {
        is_forced: false,
        candidates: Vec::new(),
        tile,
        parts: 1,
        scratch_len: 0,
        expected_share: 0.0,
    };
    convolution(explanation.unwrap_or_else(nothing), lanes)
}

/// A pooling has one way for each order of axes, so there is nothing to weigh.
fn pooling(plan: &PoolPlan) -> NativeExplanation {
    let lanes_are = if plan.algorithm() == "pixels" { "channels" } else { "columns" };
    NativeExplanation {
        is_forced: false,
        candidates: vec![NativeCandidate {
            name: plan.algorithm().into(),
            cost: plan.geometry().flops() / plan.isa().lanes() as f64 / plan.geometry().batch.max(1) as f64,
            share: 0.0,
        }],
        rows: 1,
        vectors: 1,
        lanes: plan.isa().lanes() as u32,
        lanes_are: lanes_are.into(),
        parts: plan.parts() as f64,
        scratch_bytes: plan.scratch_len() as f64 * FLOAT,
        expected_share: None,
    }
}
