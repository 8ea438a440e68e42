//! AVX-512 and beside it Intel's AMX: a unit that multiplies tiles of sixteen rows of bfloat16 (AMX-TILE, AMX-BF16). Linux alone lets a
//! process ask for its registers, which are too large to be saved for everybody.

pub(crate) use super::avx512::{Token, enter};
use crate::matrix::{Block, COLUMNS, PARTS, ROWS, SIDE, STEP};
use core::arch::{asm, x86_64::__cpuid_count};
use std::sync::OnceLock;

pub(crate) fn detect() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| super::avx512::detect() && has_unit() && may_use())
}

fn has_unit() -> bool {
    const BF16_AND_TILE: u32 = 1 << 22 | 1 << 24;
    // AVX-512 implies that this leaf exists.
    __cpuid_count(7, 0).edx & BF16_AND_TILE == BF16_AND_TILE
}

/// Asks for the tile registers for all threads of the process.
fn may_use() -> bool {
    const ARCH_PRCTL: usize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const XFEATURE_XTILEDATA: usize = 18;
    let result: isize;
    // SAFETY: a call to the system, which touches no memory; one that knows nothing of it answers with an error.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Bytes of a row of a tile, and of a tile.
const LINE: usize = 64;
const TILE: usize = ROWS * LINE;

/// What the unit is told about its eight tiles.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_of_row: [u16; 16],
    rows: [u8; 16],
}

/// Calls `work`, which may then call [`multiply`].
///
/// # Safety
/// [`detect`] returned true.
pub(crate) unsafe fn configured<R>(work: impl FnOnce() -> R) -> R {
    let mut configuration =
        Configuration { palette: 1, start_row: 0, reserved: [0; 14], bytes_of_row: [0; 16], rows: [0; 16] };
    configuration.bytes_of_row[..8].fill(LINE as u16);
    configuration.rows[..8].fill(ROWS as u8);
    // SAFETY: the unit is there and may be used; the configuration is valid.
    unsafe {
        asm!("ldtilecfg [{}]", in(reg) &raw const configuration, options(nostack, readonly, preserves_flags))
    };
    let result = work();
    // SAFETY: as above. Released tiles are not saved when threads take turns.
    unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    result
}

/// Adds the products of two tiles of rows and two of columns to the sums.
macro_rules! products {
    () => {
        "tdpbf16ps tmm0, tmm6, tmm4
        tdpbf16ps tmm1, tmm6, tmm5
        tdpbf16ps tmm2, tmm7, tmm4
        tdpbf16ps tmm3, tmm7, tmm5"
    };
}

/// Computes a block: two tiles of rows × two tiles of columns, whose sums stay in four of the eight tiles.
///
/// # Safety
/// As [`Block`] says, within [`configured`].
pub(crate) unsafe fn multiply(block: &Block) {
    const { assert!(COLUMNS * size_of::<f32>() == LINE && SIDE * size_of::<u32>() == 2 * LINE && PARTS == 3) };
    // SAFETY: the caller's promise. The compiler has no use for tiles of its own.
    unsafe {
        let [row, half] = block.start_strides;
        let lower = block.start.add(ROWS * row);
        asm!(
            "tileloadd tmm0, [{first} + {row}*1]",
            "tileloadd tmm1, [{second} + {row}*1]",
            "tileloadd tmm2, [{third} + {row}*1]",
            "tileloadd tmm3, [{fourth} + {row}*1]",
            first = in(reg) block.start,
            second = in(reg) block.start.add(half),
            third = in(reg) lower,
            fourth = in(reg) lower.add(half),
            row = in(reg) row * size_of::<f32>(),
            options(nostack, readonly, preserves_flags),
        );
        let (mut rows, mut columns) = (block.rows, block.columns);
        for _ in 0..block.steps {
            // Of the products of parts those count that are not below the last bit of the largest; each tile is loaded once, but for
            // the rows' middle part.
            asm!(
                "tileloadd tmm4, [{columns} + {pair}*1]",
                "tileloadd tmm5, [{columns} + {pair}*1 + {line}]",
                "tileloadd tmm6, [{rows} + {row}*1 + 4*{tile}]",
                "tileloadd tmm7, [{rows} + {row}*1 + 5*{tile}]",
                products!(),
                "tileloadd tmm6, [{rows} + {row}*1 + 2*{tile}]",
                "tileloadd tmm7, [{rows} + {row}*1 + 3*{tile}]",
                products!(),
                "tileloadd tmm6, [{rows} + {row}*1]",
                "tileloadd tmm7, [{rows} + {row}*1 + {tile}]",
                products!(),
                "tileloadd tmm4, [{columns} + {pair}*1 + 4*{tile}]",
                "tileloadd tmm5, [{columns} + {pair}*1 + 4*{tile} + {line}]",
                products!(),
                "tileloadd tmm4, [{columns} + {pair}*1 + 2*{tile}]",
                "tileloadd tmm5, [{columns} + {pair}*1 + 2*{tile} + {line}]",
                products!(),
                "tileloadd tmm6, [{rows} + {row}*1 + 2*{tile}]",
                "tileloadd tmm7, [{rows} + {row}*1 + 3*{tile}]",
                products!(),
                rows = in(reg) rows,
                row = in(reg) LINE,
                columns = in(reg) columns,
                pair = in(reg) 2 * LINE,
                line = const LINE,
                tile = const TILE,
                options(nostack, readonly, preserves_flags),
            );
            (rows, columns) = (rows.add(STEP), columns.add(STEP));
        }
        asm!(
            "tilestored [{first} + {stride}*1], tmm0",
            "tilestored [{first} + {stride}*1 + {line}], tmm1",
            "tilestored [{second} + {stride}*1], tmm2",
            "tilestored [{second} + {stride}*1 + {line}], tmm3",
            first = in(reg) block.target,
            second = in(reg) block.target.add(ROWS * block.stride),
            stride = in(reg) block.stride * size_of::<f32>(),
            line = const LINE,
            options(nostack, preserves_flags),
        );
    }
}
