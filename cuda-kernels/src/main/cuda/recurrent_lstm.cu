// The long short-term memory.
#include "recurrent.cuh"

RECURRENT(lstm, Lstm, f32, float)
RECURRENT(lstm, Lstm, f64, double)
SCAN(lstm, Lstm, bf16, float, bf16)
