package carousel.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.cuda.driver.Grid;
import carousel.tensor.TensorException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Wrong kernels are reported with kernel, block, thread and line, and the device goes on. */
class EmulatorErrorsTest {
  private static final Grid BLOCKS = Grid.of(2, 64);

  @TempDir static Path cache;

  private static void fails(Grid grid, String body, String... message) {
    var device = TestKernel.on(cache, false);
    assertThatThrownBy(() -> device.run(grid, 64, body))
        .isInstanceOf(TensorException.class)
        .message()
        .startsWith("cuda-emulated: kernel: ")
        .contains(message);
    assertThat(device.run(BLOCKS, 64, "__syncthreads(); y[threadIdx.x] = 1;")).containsOnly(1);
  }

  @Test
  void aBarrierThatSomeThreadsPassBy() {
    fails(
        BLOCKS,
        """
        if (threadIdx.x < 5) {
          __syncthreads();
        }
        y[threadIdx.x] = 1;
        """,
        "divergent barrier: thread (0,0,0) of block (0,0,0) waits for its block at test.cu:4",
        "thread (5,0,0) of block (0,0,0) has returned");
  }

  @Test
  void aBarrierAfterSomeThreadsReturned() {
    fails(
        BLOCKS,
        """
        if (threadIdx.x < 5) {
          return;
        }
        __syncthreads();
        """,
        "divergent barrier: thread (5,0,0) of block (0,0,0) waits for its block at test.cu:6",
        "thread (0,0,0) of block (0,0,0) has returned");
  }

  @Test
  void twoBarriersAtOnce() {
    fails(
        BLOCKS,
        """
        if (threadIdx.x < 32) {
          __syncthreads();
        } else {
          __syncthreads();
        }
        """,
        "divergent barrier: thread (0,0,0) of block (0,0,0) waits for its block at test.cu:4",
        "thread (32,0,0) of block (0,0,0) waits for its block at test.cu:6");
  }

  @Test
  void aWarpOperationWithoutAllLanes() {
    fails(
        BLOCKS,
        """
        if (threadIdx.x != 3) {
          y[threadIdx.x] = __shfl_down_sync(0xffffffffu, 1, 1);
        }
        """,
        "warp operation: thread (4,0,0) of block (0,0,0) waits for its warp at test.cu:4",
        "with mask 0xffffffff, but lane 3 has returned");
  }

  @Test
  void aWarpOperationOfALaneThatIsNotInItsMask() {
    fails(
        BLOCKS,
        "__syncwarp(0xfffffffeu);\n",
        "thread (0,0,0) of block (0,0,0) waits for its warp at test.cu:3 with mask 0xfffffffe",
        "lane 0 calls it and is not in it");
  }

  @Test
  void aWarpOperationOfLanesThatAreNotThere() {
    fails(
        Grid.of(1, 40),
        """
        if (threadIdx.x >= 32) {
          __syncwarp();
        }
        y[threadIdx.x] = y[threadIdx.x + 24] = 1;
        """,
        "thread (32,0,0) of block (0,0,0)",
        "lane 8 does not exist");
  }

  @Test
  void aShuffleFromOutsideItsMask() {
    fails(
        BLOCKS,
        """
        if (threadIdx.x < 4) {
          y[0] = __shfl_xor_sync(0xfu, 1, 4);
        }
        """,
        "shuffle: thread",
        "with mask 0x0000000f reads lane ",
        ", which is not in it");
  }

  @Test
  void halvesOfAWarpAtDifferentOperations() {
    fails(
        BLOCKS,
        """
        if (threadIdx.x % 32 < 16) {
          __syncwarp();
        } else {
          y[0] = __any_sync(0xffffffffu, 1);
        }
        """,
        "divergent warp operation: thread (16,0,0) of block (0,0,0) waits for its warp at test.cu:6",
        "lane 0 of its warp is at test.cu:4");
  }

  @Test
  void aBarrierAndAShuffleThatWaitForEachOther() {
    fails(
        Grid.of(1, 32),
        """
        if (threadIdx.x == 0) {
          __syncthreads();
          __syncwarp();
        } else {
          __syncwarp();
          __syncthreads();
        }
        """,
        "deadlock: thread (0,0,0) of block (0,0,0) waits for its block at test.cu:4",
        "thread (1,0,0) of block (0,0,0) waits for its warp at test.cu:7");
  }

  @Test
  void aGridBarrierThatABlockPassesBy() {
    fails(
        BLOCKS.together(),
        """
        if (blockIdx.x == 0) {
          emulated_grid_sync();
        }
        """,
        "deadlock: thread (0,0,0) of block (0,0,0) waits for the grid at test.cu:4",
        "thread (0,0,0) of block (1,0,0) has returned");
  }

  @Test
  void aGridBarrierOutsideACooperativeLaunch() {
    fails(
        BLOCKS,
        "emulated_grid_sync();\n",
        "grid barrier outside a cooperative launch: thread (0,0,0) of block (0,0,0)");
  }

  @Test
  void aFlagThatNobodySets() {
    fails(
        BLOCKS.together(),
        """
        while (*static_cast<volatile int *>(y) < 1) {
          __nanosleep(20);
        }
        """,
        "deadlock: thread (0,0,0) of block (0,0,0) polls at test.cu:4, and so do all others");
  }

  @Test
  void aGridThatNoDeviceLaunches() {
    var device = TestKernel.on(cache, false);
    assertThatThrownBy(() -> device.run(Grid.of(1, 1025), 1, "y[0] = 1;"))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("threads=1025");
    assertThatThrownBy(() -> device.run(Grid.of(1, 32).shared(1 << 20), 1, "y[0] = 1;"))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("sharedBytes=1048576");
  }

  @Test
  void aKernelThatDoesNotCompile() {
    var device = TestKernel.on(cache, false);
    assertThatThrownBy(() -> device.run(BLOCKS, 1, "y[0] = nonsense;"))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("test.cu:3")
        .hasMessageContaining("nonsense");
    assertThat(cache).isDirectoryNotContaining("glob:**build-*");
  }

  @Test
  void atomicsOnFloatsDoNotCompile() {
    var device = TestKernel.on(cache, false);
    assertThatThrownBy(
            () -> device.run(BLOCKS, 1, "atomicAdd(reinterpret_cast<float *>(y), 1.0f);"))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("no atomics on floating-point numbers");
  }
}
