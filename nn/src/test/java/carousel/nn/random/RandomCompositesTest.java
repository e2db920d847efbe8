package carousel.nn.random;

import org.junit.jupiter.api.Test;

/**
 * Composites as strangers write them run by their kernels as by their bodies, whatever they hold and
 * are called.
 */
class RandomCompositesTest {
  private static final int PROGRAMS = 200;

  @Test
  void everyCompositeRunsByItsKernelAsByItsBody() {
    RandomCellsTest.judge(Species.COMPOSITES, PROGRAMS, 0.2);
  }
}
