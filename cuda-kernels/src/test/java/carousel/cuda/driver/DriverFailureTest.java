package carousel.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DriverFailureTest {

  private static String message(int result, String name) {
    return String.valueOf(
        DriverFailure.of(result)
            .in("cuda:1", "cuCall", result, name, "unary_tanh_f32")
            .getMessage());
  }

  @Test
  void saysWhatHappenedWhereAndWhatToDo() {
    assertThat(message(2, "CUDA_ERROR_OUT_OF_MEMORY"))
        .isEqualTo(
            "cuda:1: out of memory (CUDA_ERROR_OUT_OF_MEMORY, 2, in cuCall). Make the batch smaller, or see"
                + " with nvidia-smi who else uses the device.");
    assertThat(message(700, "CUDA_ERROR_ILLEGAL_ADDRESS"))
        .startsWith(
            "cuda:1: a kernel failed (CUDA_ERROR_ILLEGAL_ADDRESS, 700, in cuCall); the last kernel started"
                + " was unary_tanh_f32.")
        .contains("start the program again", "-Dcarousel.cuda.blocking=true", "compute-sanitizer");
    assertThat(message(999, "CUDA_ERROR_UNKNOWN")).contains("the device is lost", "Xid");
    assertThat(message(701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"))
        .contains("a launch was refused", "unary_tanh_f32");
    assertThat(message(222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"))
        .contains("update the driver", LibrarySearch.PROPERTY);
    assertThat(message(4, "CUDA_ERROR_DEINITIALIZED")).contains("shutting down");
    assertThat(message(304, "CUDA_ERROR_OPERATING_SYSTEM"))
        .contains("reports an error (CUDA_ERROR_OPERATING_SYSTEM, 304, in cuCall)", "doctor");
  }

  @Test
  void doesNotNameAKernelThatHasNoPartInIt() {
    assertThat(message(2, "CUDA_ERROR_OUT_OF_MEMORY")).doesNotContain("unary_tanh_f32");
    assertThat(DriverFailure.of(719).in("cuda:0", "cuCall", 719, "E", ""))
        .message()
        .doesNotContain("last kernel");
  }
}
