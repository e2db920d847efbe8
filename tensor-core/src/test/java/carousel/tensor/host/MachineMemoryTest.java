package carousel.tensor.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {
  @TempDir Path root;

  private void file(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void isThatOfTheMachine() throws IOException {
    file("proc/meminfo", "MemTotal:       8000 kB\nMemFree:        100 kB\n");
    file("proc/self/cgroup", "0::/\n");
    file("sys/fs/cgroup/memory.max", "max\n");
    assertThat(MachineMemory.under(root)).isEqualTo(new MachineMemory(8_192_000));
    assertThat(MachineMemory.under(root).share()).isEqualTo(6_144_000);
  }

  @Test
  void isThatOfTheContainer() throws IOException {
    file("proc/meminfo", "MemTotal:       8000 kB\n");
    file("proc/self/cgroup", "0::/system.slice/app\n");
    file("sys/fs/cgroup/system.slice/memory.max", "1000000\n");
    file("sys/fs/cgroup/system.slice/app/memory.max", "max\n");
    assertThat(MachineMemory.under(root).bytes()).isEqualTo(1_000_000);
  }

  /** A container of old: the path is the host's, the files are those of the root. */
  @Test
  void isThatOfAContainerOfOld() throws IOException {
    file("proc/meminfo", "MemTotal:       8000 kB\n");
    file("proc/self/cgroup", "5:cpu:/docker/1\n4:memory:/docker/1\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000\n");
    assertThat(MachineMemory.under(root).bytes()).isEqualTo(2_000_000);
  }

  @Test
  void isAskedOfTheJvmElsewhere() {
    assertThat(MachineMemory.under(root).bytes()).isBetween(1L << 26, 1L << 46);
    assertThat(MachineMemory.here().bytes()).isBetween(1L << 26, 1L << 46);
  }
}
