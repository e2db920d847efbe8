package carousel.cuda.driver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CubinCacheTest {

  @TempDir Path folder;

  /** Its code is the text it was given; it counts how often it was asked. */
  private static final class FakeCompiler implements Compiler {
    final AtomicInteger compiled = new AtomicInteger();
    String version = "1";

    @Override
    public byte[] compile(KernelSource source, int capability) {
      compiled.incrementAndGet();
      return (source.files() + " for " + capability).getBytes(UTF_8);
    }

    @Override
    public String fingerprint(int capability) {
      return version + " sm_" + capability;
    }
  }

  private final FakeCompiler compiler = new FakeCompiler();

  private static KernelSource source(String text, String header) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put("a.cu", text);
    files.put("common.cuh", header);
    return new KernelSource("a.cu", files);
  }

  /** Every use is a cache of its own, as in another process. */
  private byte[] compile(KernelSource source, int capability) {
    return new CubinCache(compiler, folder).compile(source, capability);
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  @Test
  void compilesOnce() throws IOException {
    byte[] first = compile(source("x", "y"), 90);
    byte[] second = compile(source("x", "y"), 90);

    assertThat(second).isEqualTo(first).isEqualTo("{a.cu=x, common.cuh=y} for 90".getBytes(UTF_8));
    assertThat(compiler.compiled).hasValue(1);
    assertThat(files()).singleElement().asString().contains("a-sm_90-").endsWith(".cubin");
  }

  @Test
  void tellsSourcesHeadersDevicesAndVersionsApart() {
    compile(source("x", "y"), 90);
    compile(source("x2", "y"), 90);
    compile(source("x", "y2"), 90);
    compile(source("x", "y"), 80);
    compiler.version = "2";
    compile(source("x", "y"), 90);
    // The same letters, cut elsewhere.
    compile(new KernelSource("a.cu", Map.of("a.cu", "xy")), 90);
    compile(new KernelSource("a.cu", Map.of("a.cux", "y")), 90);

    assertThat(compiler.compiled).hasValue(7);
  }

  @Test
  void makesADamagedFileAgain() throws IOException {
    byte[] right = compile(source("x", "y"), 90);
    Path file = files().getFirst();
    byte[] kept = Files.readAllBytes(file);

    byte[] changed = kept.clone();
    changed[changed.length - 1] ^= 1;
    for (byte[] damaged : List.of(changed, java.util.Arrays.copyOf(kept, 40), new byte[0])) {
      Files.write(file, damaged);
      assertThat(compile(source("x", "y"), 90)).isEqualTo(right);
      assertThat(Files.readAllBytes(file)).isEqualTo(kept);
    }
    assertThat(compiler.compiled).hasValue(4);
  }

  @Test
  void isNotMisledByAProcessThatWasKilled() throws IOException {
    Path old = Files.writeString(folder.resolve("a-sm_90-0.cubin-1.tmp"), "half");
    Path young = Files.writeString(folder.resolve("a-sm_90-0.cubin-2.tmp"), "half");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));

    compile(source("x", "y"), 90);
    compile(source("x", "y"), 90);

    assertThat(compiler.compiled).hasValue(1);
    // What was left behind goes; what another process may still be writing stays.
    assertThat(old).doesNotExist();
    assertThat(young).exists();
  }

  @Test
  void servesManyAtOnce() throws Exception {
    byte[] right = "{a.cu=x, common.cuh=y} for 90".getBytes(UTF_8);
    try (var threads = Executors.newFixedThreadPool(8)) {
      var results =
          threads.invokeAll(
              IntStream.range(0, 64)
                  .<java.util.concurrent.Callable<byte[]>>mapToObj(
                      i -> () -> compile(source("x", "y"), 90))
                  .toList());
      for (var result : results) {
        assertThat(result.get()).isEqualTo(right);
      }
    }
    assertThat(files()).hasSize(1);
  }

  @Test
  void worksWithoutAFolderToWriteTo() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "not a folder");
    var cache = new CubinCache(compiler, file.resolve("below"));

    cache.compile(source("x", "y"), 90);
    cache.compile(source("x", "y"), 90);

    assertThat(compiler.compiled).hasValue(2);
  }
}
