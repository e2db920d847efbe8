package carousel.benchmarks.soak;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A soak of seconds: nothing about time, all about what is left behind. */
class SoakTest {
  @TempDir private Path folder;

  @Test
  void someSecondsLeaveNothingBehind() throws Exception {
    long before = Device.cpu().backend().memory().inUse();
    var lines = new ArrayList<String>();
    var samples = new Soak(1, folder, lines::add).run(0.1);

    assertThat(samples).hasSize(8);
    assertThat(samples).extracting(Sample::inUse).containsOnly(samples.getFirst().inUse());
    assertThat(samples.getLast().leaks()).isZero();
    assertThat(samples.getLast().trials()).isPositive();
    assertThat(lines).hasSize(1 + samples.size()).first().isEqualTo(Sample.HEADER);
    assertThat(Device.cpu().backend().memory().inUse()).isEqualTo(before);
  }

  @Test
  void everyFaultLeavesTheMemoryAsItWas() throws IOException {
    var random = Philox.of(3);
    var met = EnumSet.noneOf(Trial.Fault.class);
    long before = Device.cpu().backend().memory().inUse();
    while (met.size() < Trial.Fault.values().length) {
      var trial = Trial.draw(random);
      if (met.add(trial.fault())) {
        trial.run(folder);
        assertThat(Device.cpu().backend().memory().inUse()).as("%s", trial).isEqualTo(before);
      }
    }
  }

  @Test
  void aScopeThatIsNeverClosedIsCounted() {
    try (var leaks = new Leaks()) {
      try (var _ = TensorScope.open()) {
        var forgotten = TensorScope.open();
        assertThat(forgotten.bytes()).isZero();
      }
      assertThat(leaks.count()).isEqualTo(1);
    }
  }
}
