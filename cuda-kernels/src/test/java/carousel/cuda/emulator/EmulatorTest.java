package carousel.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.driver.Grid;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Right kernels compute what they would on a GPU, whichever thread starts first. */
class EmulatorTest {
  @TempDir static Path cache;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyThreadOfEveryBlockRunsOnce(boolean reverse) {
    int[] y =
        TestKernel.on(cache, reverse)
            .run(
                new Grid(3, 2, 40, 0, false),
                240,
                """
                int block = blockIdx.y * gridDim.x + blockIdx.x;
                y[block * blockDim.x + threadIdx.x] += 1 + threadIdx.x;
                """);
    assertThat(y).containsExactly(IntStream.range(0, 240).map(i -> 1 + i % 40).toArray());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBlockSumsThroughSharedMemory(boolean reverse) {
    int[] y =
        TestKernel.on(cache, reverse)
            .run(
                Grid.of(5, 128),
                5,
                """
                __shared__ int sums[128];
                sums[threadIdx.x] = threadIdx.x + blockIdx.x;
                for (int half = 64; half > 0; half /= 2) {
                  __syncthreads();
                  if (threadIdx.x < half) {
                    sums[threadIdx.x] += sums[threadIdx.x + half];
                  }
                }
                if (threadIdx.x == 0) {
                  y[blockIdx.x] = sums[0];
                }
                """);
    assertThat(y).containsExactly(IntStream.range(0, 5).map(b -> 8128 + 128 * b).toArray());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aForgottenBarrierShows(boolean reverse) {
    int[] y =
        TestKernel.on(cache, reverse)
            .run(
                Grid.of(1, 64),
                64,
                """
                __shared__ int turned[64];
                turned[threadIdx.x] = threadIdx.x;
                y[threadIdx.x] = turned[63 - threadIdx.x];
                """);
    assertThat(y).isNotEqualTo(IntStream.range(0, 64).map(i -> 63 - i).toArray()).contains(-1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void warpsExchangeValuesAndVotes(boolean reverse) {
    int[] y =
        TestKernel.on(cache, reverse)
            .run(
                Grid.of(1, 64),
                64 * 8,
                """
                int lane = threadIdx.x % 32;
                unsigned all = 0xffffffffu;
                int *mine = y + threadIdx.x * 8;
                int sum = lane;
                for (int bits = 16; bits > 0; bits /= 2) {
                  sum += __shfl_xor_sync(all, sum, bits);
                }
                mine[0] = sum;
                mine[1] = __shfl_down_sync(all, lane, 3);
                mine[2] = __shfl_up_sync(all, lane, 3, 8);
                mine[3] = __shfl_sync(all, lane * 1.5, 9, 4) == (lane / 4 * 4 + 1) * 1.5;
                mine[4] = __ballot_sync(all, lane % 2);
                mine[5] = __any_sync(all, lane == 7) + 2 * __all_sync(all, lane < 32) + 4 * __all_sync(all, lane < 31);
                if (lane < 16) {
                  mine[6] = __shfl_xor_sync(0xffffu, lane, 1);
                  __syncwarp(0xffffu);
                } else {
                  mine[6] = __shfl_xor_sync(0xffff0000u, -lane, 1);
                }
                mine[7] = __popc(__ballot_sync(all, 1));
                """);
    for (int thread = 0; thread < 64; thread++) {
      int lane = thread % 32;
      assertThat(Arrays.copyOfRange(y, thread * 8, thread * 8 + 8))
          .as("lane %d", lane)
          .containsExactly(
              496,
              lane < 29 ? lane + 3 : lane,
              lane % 8 < 3 ? lane : lane - 3,
              1,
              0xAAAAAAAA,
              3,
              lane < 16 ? lane ^ 1 : -(lane ^ 1),
              32);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void dynamicSharedMemoryIsAlignedAndOfTheBlock(boolean reverse) {
    int[] y =
        TestKernel.on(cache, reverse)
            .run(
                Grid.of(2, 32).shared(33 * 16),
                2,
                """
                DYNAMIC_SHARED(double, tile);
                tile[2 * threadIdx.x] = threadIdx.x;
                __syncthreads();
                if (threadIdx.x == 0) {
                  bool fresh = tile[64] != tile[64];  // NaN
                  bool aligned = reinterpret_cast<u64>(tile) % 16 == 0;
                  y[blockIdx.x] = fresh && aligned ? static_cast<int>(tile[62]) : -1;
                  tile[64] = 0;
                }
                """);
    assertThat(y).containsExactly(31, 31);
  }

  /** Each block keeps its shared memory, static and dynamic, while others run. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void blocksOfACooperativeLaunchMeet(boolean reverse) {
    int[] y =
        TestKernel.on(cache, reverse)
            .run(
                Grid.of(7, 33).shared(64).together(),
                7 * 33,
                """
                __shared__ int mine;
                DYNAMIC_SHARED(int, also);
                if (threadIdx.x == 0) {
                  mine = blockIdx.x;
                  also[0] = 10 * blockIdx.x;
                }
                __syncthreads();
                int at = blockIdx.x * blockDim.x + threadIdx.x;
                for (int step = 1; step <= 3; step++) {
                  y[at] = step * at;
                  emulated_grid_sync();
                  int seen = y[(at + 100 * step) % n];
                  emulated_grid_sync();
                  y[at] = seen == step * ((at + 100 * step) % n) ? mine + also[0] : -1;
                  __syncthreads();
                }
                """);
    assertThat(y).containsExactly(IntStream.range(0, 231).map(i -> 11 * (i / 33)).toArray());
  }

  /** Flags in memory, polled: what barriers that are written by hand do. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void blocksOfACooperativeLaunchPollFlags(boolean reverse) {
    int[] y =
        TestKernel.on(cache, reverse)
            .run(
                Grid.of(4, 8).together(),
                5,
                """
                for (int turn = 0; turn < 10; turn++) {
                  __syncthreads();
                  if (threadIdx.x == 0) {
                    atomicAdd(&y[0], 1);
                    while (*static_cast<volatile int *>(y) < 4 * (turn + 1)) {
                      __nanosleep(20);
                    }
                  }
                }
                if (threadIdx.x == 0) {
                  y[1 + blockIdx.x] = y[0];
                }
                """);
    assertThat(y).containsExactly(40, 40, 40, 40, 40);
  }
}
