package carousel.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.driver.CudaLibrary.Kind;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibrarySearchTest {

  @TempDir Path root;

  private Path folder(String path) throws IOException {
    return Files.createDirectories(root.resolve(path));
  }

  @Test
  void looksIntoNamedFoldersToolkitsAndPythonPackages() throws IOException {
    Path named = root.resolve("mine");
    Path other = root.resolve("other");
    Path home = folder("toolkit/lib64");
    Path old = folder("usr/local/cuda-12.6/lib64");
    Path young = folder("usr/local/cuda-13.0/targets/x86_64-linux/lib");
    Path link = folder("usr/local/cuda/lib64");
    Path environment = folder("venv/lib/python3.12/site-packages/nvidia/cublas/lib");
    Path python = folder("usr/local/lib/python3.11/dist-packages/nvidia/cu13/lib");
    folder("usr/local/cuda-13.0/doc");

    var search =
        LibrarySearch.of(
            root,
            named + File.pathSeparator + other,
            Map.of(
                    "CUDA_HOME", root.resolve("toolkit").toString(),
                    "VIRTUAL_ENV", root.resolve("venv").toString())
                ::get,
            "Linux");

    assertThat(search.folders())
        .containsExactly(named, other, home, link, young, old, environment, python);
    assertThat(search.named()).isEqualTo(2);
  }

  @Test
  void namesFilesAsTheSystemDoes() {
    assertThat(Kind.CUBLAS.file(13, false)).isEqualTo("libcublas.so.13");
    assertThat(Kind.CUBLAS.file(12, true)).isEqualTo("cublas64_12.dll");
    assertThat(Kind.NVRTC.file(12, true)).isEqualTo("nvrtc64_120_0.dll");
    assertThat(LibrarySearch.of(root, null, name -> null, "Windows 11").windows()).isTrue();
  }

  @Test
  void doesNotTakeALibraryYoungerThanTheDriver() throws IOException {
    Files.writeString(root.resolve("libcublas.so.13"), "");
    var search = new LibrarySearch(List.of(root), 1, false);

    assertThat(search.find(Kind.CUBLAS, 12)).isEmpty();
    assertThat(search.missing(Kind.CUBLAS, 12))
        .contains("looked for libcublas.so.12 on the library path and in " + root)
        .contains(root.resolve("libcublas.so.13") + " is there, but of another CUDA version")
        .contains("toolkit 12");
  }

  @Test
  void saysOfAFileThatItCannotBeLoaded() throws IOException {
    Files.writeString(root.resolve("libcublas.so.13"), "not an ELF file");
    var search = new LibrarySearch(List.of(root), 1, false);

    assertThat(search.find(Kind.CUBLAS, 13)).isEmpty();
    assertThat(search.missing(Kind.CUBLAS, 13))
        .contains("libcublas.so.13, libcublas.so.12")
        .contains(root.resolve("libcublas.so.13") + " is there, and cannot be loaded");
  }
}
