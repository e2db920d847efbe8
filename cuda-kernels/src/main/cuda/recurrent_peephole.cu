// The long short-term memory with diagonal peepholes.
#include "recurrent.cuh"

RECURRENT(peephole, PeepholeLstm, f32, float)
RECURRENT(peephole, PeepholeLstm, f64, double)
SCAN(peephole, PeepholeLstm, bf16, float, bf16)
