// The gated recurrent unit that resets before the product.
#include "recurrent.cuh"

RECURRENT(gru, GruResetBefore, f32, float)
RECURRENT(gru, GruResetBefore, f64, double)
SCAN(gru, GruResetBefore, bf16, float, bf16)
