package org.example;

import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.testing.CellContract;
import carousel.testing.ScopeExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(ScopeExtension.class)
class CoRnnTest {
  @Test
  void keepsTheContract() {
    var cell = CoRnn.of(3, 4, 1.5, Init.xavierUniform().as(DType.F64), Philox.of(1));
    System.out.println(CellContract.of(cell).withKernel().check());
  }
}
