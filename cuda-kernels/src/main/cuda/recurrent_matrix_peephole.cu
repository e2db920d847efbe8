// The long short-term memory with matrices for peepholes.
#include "recurrent.cuh"

RECURRENT(matrix_peephole, MatrixPeepholeLstm, f32, float)
RECURRENT(matrix_peephole, MatrixPeepholeLstm, f64, double)
SCAN(matrix_peephole, MatrixPeepholeLstm, bf16, float, bf16)
