//! Nothing: cargo wants a library beside the benchmarks, which are in `benches/`.
