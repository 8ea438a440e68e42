//! Samples of an image as an argument: memory with elements of one of the types that pixels have.

use crate::array::Array;
use napi::{Frame, FromFrame};

/// Samples that a call borrows; in the frame their bytes per element come first.
pub enum Samples {
    /// Of a `Uint8Array` or `Uint8ClampedArray`.
    U8(Array<u8>),
    /// Of a `Uint16Array`.
    U16(Array<u16>),
    /// Of a `Float32Array`.
    F32(Array<f32>),
}

/// Samples of a job, which here is over when the call is.
pub type KeptSamples = Samples;

impl FromFrame for Samples {
    fn from_frame(frame: &mut Frame) -> Samples {
        match frame.next() as u32 {
            1 => Samples::U8(Array::from_frame(frame)),
            2 => Samples::U16(Array::from_frame(frame)),
            _ => Samples::F32(Array::from_frame(frame)),
        }
    }
}
