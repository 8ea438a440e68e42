//! Linear light: samples hold the square root of brightness, roughly, and a blur of samples is therefore darker than a blur of
//! light. The curve is sRGB's (IEC 61966-2-1), mirrored below zero for float samples.

use super::pixel::Pixel;

/// Encoded 0 to 1 as linear 0 to 1.
fn decode(encoded: f64) -> f64 {
    let x = encoded.abs();
    let linear = if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) };
    linear.copysign(encoded)
}

/// The inverse of [`decode`].
fn encode(linear: f64) -> f64 {
    let x = linear.abs();
    let encoded = if x <= 0.0031308 { x * 12.92 } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 };
    encoded.copysign(linear)
}

/// Equal parts of the linear range, each with the codes that lie in it.
const PARTS: usize = 4096;

/// The curve for one type of pixel. Linear values are in units of the pixel's full scale.
pub(super) struct Light {
    /// Of integer pixels: the linear value of each.
    linear: Vec<f32>,
    /// Where the code `i + 1` begins: the linear value halfway between the codes `i` and `i + 1`.
    starts: Vec<f32>,
    /// For each part of the range, the codes that begin before it.
    parts: Vec<u32>,
}

impl Light {
    pub(super) fn new<P: Pixel>() -> Light {
        let Some(most) = P::MOST else {
            return Light { linear: Vec::new(), starts: Vec::new(), parts: Vec::new() };
        };
        let full = f64::from(most);
        let at = |code: f64| (decode(code / full) * full) as f32;
        let starts: Vec<f32> = (0..most as usize).map(|code| at(code as f64 + 0.5)).collect();
        let mut parts = Vec::with_capacity(PARTS + 1);
        let mut codes = 0;
        for part in 0..=PARTS {
            let edge = (part as f64 * full / PARTS as f64) as f32;
            while codes < starts.len() && starts[codes] <= edge {
                codes += 1;
            }
            parts.push(codes as u32);
        }
        Light { linear: (0..=most as usize).map(|code| at(code as f64)).collect(), starts, parts }
    }

    /// A pixel's light.
    #[inline]
    pub(super) fn decode<P: Pixel>(&self, pixel: P) -> f32 {
        match pixel.code() {
            Some(code) => self.linear[code],
            None => decode(f64::from(pixel.to_float())) as f32,
        }
    }

    /// The pixel nearest to a light, saturated; NaN is 0, but stays in a float.
    #[inline]
    pub(super) fn encode<P: Pixel>(&self, light: f32) -> P {
        let Some(most) = P::MOST else { return P::from_float(encode(f64::from(light)) as f32) };
        // The comparisons are false for NaN.
        let light = if light > 0.0 { light } else { 0.0 };
        let light = if light < most { light } else { most };
        let part = ((light * (PARTS as f32 / most)) as usize).min(PARTS - 1);
        // One part more on each side, since the product is rounded.
        let first = self.parts[part.saturating_sub(1)] as usize;
        let last = self.parts[(part + 2).min(PARTS)] as usize;
        let code = first + self.starts[first..last].partition_point(|start| *start <= light);
        P::from_float(code as f32)
    }
}
