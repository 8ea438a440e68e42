//! Where the output tiles of an axis begin. With a dilation, neighbours in a tile are that far apart.

use crate::geometry::Axis;

/// The tiles of one axis, in the order of their residue modulo the dilation.
pub(super) struct Tiling {
    /// First output of each tile.
    pub(super) starts: Vec<usize>,
    /// Outputs of the axis.
    pub(super) outputs: usize,
    /// Distance of a tile's outputs.
    pub(super) step: usize,
    /// Outputs of a tile.
    size: usize,
}

/// Number of tiles of `size` outputs.
pub(super) fn count(axis: &Axis, size: usize) -> usize {
    let step = axis.dilation.min(axis.output);
    // `longer` of the residues have one output more than the others.
    let (shorter, longer) = (axis.output / step, axis.output % step);
    (step - longer) * shorter.div_ceil(size) + longer * (shorter + 1).div_ceil(size)
}

impl Tiling {
    pub(super) fn new(axis: &Axis, size: usize) -> Tiling {
        let step = axis.dilation;
        let starts = (0..step.min(axis.output))
            .flat_map(|residue| (residue..axis.output).step_by(size * step))
            .collect();
        Tiling { starts, outputs: axis.output, step, size }
    }

    /// Outputs of tile `index` that exist.
    pub(super) fn inside(&self, index: usize) -> usize {
        (self.outputs - self.starts[index]).div_ceil(self.step).min(self.size)
    }

    /// Whether tile `index` goes on where the one before it ends.
    pub(super) fn follows(&self, index: usize) -> bool {
        index > 0 && self.starts[index] == self.starts[index - 1] + self.size * self.step
    }
}
