// The gated recurrent unit that resets after the product.
#include "recurrent.cuh"

RECURRENT(gru_after, GruResetAfter, f32, float)
RECURRENT(gru_after, GruResetAfter, f64, double)
SCAN(gru_after, GruResetAfter, bf16, float, bf16)
