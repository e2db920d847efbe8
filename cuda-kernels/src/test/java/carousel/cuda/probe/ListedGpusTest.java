package carousel.cuda.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListedGpusTest {

  @TempDir Path root;

  @BeforeEach
  void twoDeviceFiles() throws IOException {
    for (String file : new String[] {"nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "sda1"}) {
      FakeDriver.write(root.resolve("dev").resolve(file), "");
    }
  }

  @Test
  void countsDeviceFiles() {
    assertThat(ListedGpus.names(root, null)).containsExactly("cuda:0", "cuda:1");
    assertThat(ListedGpus.names(root.resolve("dev"), null)).isEmpty();
  }

  @Test
  void heedsWhatHidesDevices() {
    assertThat(ListedGpus.names(root, "1")).containsExactly("cuda:0");
    assertThat(ListedGpus.names(root, "1,0,2")).containsExactly("cuda:0", "cuda:1");
    assertThat(ListedGpus.names(root, "1,-1,0")).containsExactly("cuda:0");
    assertThat(ListedGpus.names(root, "-1")).isEmpty();
    assertThat(ListedGpus.names(root, "")).isEmpty();
  }

  @Test
  void listsOneWhereThereAreNoDeviceFiles() throws IOException {
    Path wsl = root.resolve("wsl");
    FakeDriver.write(wsl.resolve("usr/lib/wsl/lib/libcuda.so.1"), "");

    assertThat(ListedGpus.names(wsl, null)).containsExactly("cuda:0");
  }
}
