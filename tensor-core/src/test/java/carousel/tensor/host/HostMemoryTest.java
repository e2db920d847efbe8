package carousel.tensor.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.spi.SlabPool;
import org.junit.jupiter.api.Test;

/** Both sources of the host's memory. */
class HostMemoryTest {
  private static final int SIZE = 100_000;

  private static void givesMemory(SlabPool.Source source) {
    long[] blocks = new long[5];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = source.take(SIZE);
      assertThat(blocks[i]).isNotZero();
      assertThat(blocks[i] % 64).isZero();
      for (int at = 0; at < SIZE; at += 4) {
        Bytes.i32(blocks[i] + at, i);
      }
    }
    for (int i = 0; i < blocks.length; i++) {
      for (int at = 0; at < SIZE; at += 4) {
        assertThat(Bytes.i32(blocks[i] + at)).isEqualTo(i);
      }
      source.giveBack(blocks[i], SIZE);
    }
    assertThat(source.take(1L << 55)).as("more than there is").isZero();
  }

  @Test
  void pages() {
    assumeTrue(Pages.areThere(), "neither Linux nor macOS");
    givesMemory(new Pages());
    assertThatThrownBy(() -> new Pages().giveBack(1, SIZE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("100000 bytes at 1");
  }

  @Test
  void malloc() {
    givesMemory(new Malloc());
  }
}
