// The simple recurrent network, with each of its functions.
#include "recurrent.cuh"

#define ELMAN(name, F)                              \
  RECURRENT(elman_##name, Elman<F>, f32, float)     \
  RECURRENT(elman_##name, Elman<F>, f64, double)    \
  SCAN(elman_##name, Elman<F>, bf16, float, bf16)

ELMAN(tanh, Tanh)
ELMAN(relu, Relu)
ELMAN(identity, Identity)
