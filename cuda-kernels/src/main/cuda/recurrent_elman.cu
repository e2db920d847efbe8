// The simple recurrent network, with each of its functions.
#include "recurrent.cuh"

#define ELMAN(name, F)                              \
  RECURRENT(elman_##name, Elman<F>, f32, float)     \
  RECURRENT(elman_##name, Elman<F>, f64, double)

ELMAN(tanh, Tanh)
ELMAN(relu, Relu)
ELMAN(identity, Identity)
