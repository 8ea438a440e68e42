//! Copies of views: their elements without what lies between them, and no read outside.

mod common;

use common::Random;
use common::guarded::{Flush, Guarded};
use corr2d_kernels::Error;
use corr2d_kernels::conv::Layout;
use corr2d_kernels::view::copied;

#[test]
fn a_copy_has_the_views_elements() {
    let mut random = Random::new(1);
    for shape in [[1, 1, 1, 1], [2, 3, 4, 5], [1, 3, 4, 5], [3, 1, 1, 7], [0, 2, 3, 4]] {
        let [n, c, h, w] = shape;
        for [image, plane, row] in [[0, 0, 0], [0, 0, 3], [0, 5, 0], [2, 0, 0], [7, 2, 1]] {
            let row_stride = w + row;
            let plane_stride = h * row_stride + plane;
            let strides = [c * plane_stride + image, plane_stride, row_stride];
            for offset in [0, 3] {
                let last = |size: usize, stride: usize| size.saturating_sub(1) * stride;
                let len = offset + last(n, strides[0]) + last(c, strides[1]) + last(h, strides[2]) + w;
                let data = random.floats(len);
                let mut expected = vec![];
                for line in 0..n * c * h {
                    let (i, j, k) = (line / (c * h), line / h % c, line % h);
                    let start = offset + i * strides[0] + j * strides[1] + k * strides[2];
                    expected.extend_from_slice(&data[start..start + w]);
                }
                for flush in [Flush::Start, Flush::End] {
                    let data = Guarded::new(&data, flush);
                    let copy = copied(data.as_slice(), Some(Layout { offset, strides }), shape);
                    assert_eq!(copy.expect("inside the data").as_slice(), expected, "{shape:?} {strides:?}");
                }
            }
        }
    }
}

#[test]
fn contiguous_data_is_copied_as_it_is() {
    let data = Random::new(2).floats(120);
    assert_eq!(copied(&data, None, [2, 3, 4, 5]).expect("the exact length").as_slice(), data);
}

#[test]
fn a_view_that_leaves_its_data_is_refused() {
    let length = Error::Length { parameter: "x", expected: 120, received: 119 };
    assert_eq!(copied(&[0.0; 119], None, [2, 3, 4, 5]).map(|_| ()), Err(length));
    let layout = Layout { offset: 1, strides: [60, 20, 5] };
    assert!(matches!(copied(&[0.0; 120], Some(layout), [2, 3, 4, 5]), Err(Error::ViewOutside { .. })));
}
