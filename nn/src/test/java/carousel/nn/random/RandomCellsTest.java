package carousel.nn.random;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.FusedContract;
import carousel.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Cells as strangers write them run by their kernels as by their bodies: outputs, states, gradients,
 * second derivatives. {@code benchmarks/random-programs} tries any number of them.
 */
class RandomCellsTest {
  private static final int PROGRAMS = 120;

  /** Later ones that were the first to find a fault that was planted: docs/reliability.md has which. */
  private static final long[] TELLING = {124, 189, 201, 241, 274, 328};

  @Test
  void everyCellRunsByItsKernelAsByItsBody() {
    judge(Species.CELLS, PROGRAMS, 0.6);
  }

  /** Fails where a program does, and where nothing was compared. */
  static <P> void judge(Species<P> species, int programs, double kernels) {
    boolean cpu = Device.standard() == Device.cpu();
    List<String> said = new ArrayList<>();
    // The emulated device takes its time.
    var campaign = new Campaign<>(species, 5, said::add, _ -> {});
    var result = campaign.run(1, cpu ? programs : programs / 3);
    Tally tally = result.tally();
    assertThat(result.failures()).as(tally.summary()).isEmpty();
    for (long seed : TELLING) {
      assertThat(cpu ? campaign.run(seed, 1).failures() : List.of()).isEmpty();
    }
    assertThat(tally.of(Verdict.Kind.WILD) + tally.of(Verdict.Kind.ROUNDED))
        .as("programs whose numbers say little: " + tally.summary())
        .isLessThan(tally.programs() / 20);
    if (cpu && FusedContract.VECTORS) {
      assertThat(tally.kernelShare()).as(tally.summary()).isGreaterThan(kernels);
    }
  }
}
