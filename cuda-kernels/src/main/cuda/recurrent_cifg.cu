// The long short-term memory with coupled input and forget gate.
#include "recurrent.cuh"

RECURRENT(cifg, Cifg, f32, float)
RECURRENT(cifg, Cifg, f64, double)
SCAN(cifg, Cifg, bf16, float, bf16)
