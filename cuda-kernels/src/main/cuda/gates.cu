// The pointwise parts of the recurrent cells.
#include "gates.cuh"

#define CELL(name, C)           \
  GATES(name, C, f32, float)    \
  GATES(name, C, f64, double)

CELL(lstm, Lstm)
CELL(peephole, PeepholeLstm)
CELL(cifg, Cifg)
CELL(gru_after, GruResetAfter)
