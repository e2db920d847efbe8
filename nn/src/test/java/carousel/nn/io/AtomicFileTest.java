package carousel.nn.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void createsAndReplaces() throws IOException {
    var file = folder.resolve("note.txt");
    AtomicFile.writeString(file, "one");
    AtomicFile.writeString(file, "zwei — 二");
    assertThat(file).hasContent("zwei — 二");
    assertThat(folder.toFile().list()).containsExactly("note.txt");
  }

  @Test
  void keepsTheOldFileAndNoNeighbourWhenTheBodyFails() throws IOException {
    var file = folder.resolve("weights");
    AtomicFile.writeString(file, "good");
    assertThatThrownBy(() ->
            AtomicFile.write(
                file,
                channel -> {
                  AtomicFile.writeFully(channel, UTF_8.encode("half of the new co"));
                  throw new IOException("No space left on device");
                }))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            file + ": No space left on device; what was there before is unchanged")
        .hasRootCauseMessage("No space left on device");
    assertThat(file).hasContent("good");
    assertThat(folder.toFile().list()).containsExactly("weights");
  }

  @Test
  void anInterruptDoesNotBreakAWriteOffAndIsNotForgotten() throws IOException {
    var file = folder.resolve("weights");
    var calls = new AtomicInteger();
    Thread.currentThread().interrupt();
    AtomicFile.write(
        file,
        channel -> {
          AtomicFile.writeFully(channel, UTF_8.encode("whole"));
          if (calls.incrementAndGet() < 4) {
            Thread.currentThread().interrupt();
          }
        });
    assertThat(Thread.interrupted()).isTrue();
    assertThat(calls).hasValue(4);
    assertThat(file).hasContent("whole");
    assertThat(folder.toFile().list()).containsExactly("weights");
  }

  @Test
  void aTextIsWholeWheneverItsWriterIsInterrupted() throws Exception {
    var file = folder.resolve("text");
    var writer = Thread.currentThread();
    var done = new AtomicBoolean();
    var other =
        Thread.ofPlatform()
            .start(() -> {
              while (!done.get()) {
                writer.interrupt();
                LockSupport.parkNanos(300_000);
              }
            });
    try {
      for (int i = 0; i < 60; i++) {
        String text = (i + "\n").repeat(5000);
        try {
          AtomicFile.writeString(file, text);
        } catch (ClosedByInterruptException e) {
          continue; // as was just tried: then the old text is there
        }
        Thread.interrupted();
        assertThat(new String(new FileInputStream(file.toFile()).readAllBytes(), UTF_8))
            .isEqualTo(text);
      }
    } finally {
      done.set(true);
      while (other.isAlive()) {
        Thread.onSpinWait();
      } // a join would be interrupted
      Thread.interrupted();
    }
  }

  @Test
  void interruptsWithoutEndEndIt() throws IOException {
    var file = folder.resolve("weights");
    AtomicFile.writeString(file, "good");
    assertThatThrownBy(() ->
            AtomicFile.write(
                file,
                channel -> {
                  Thread.currentThread().interrupt();
                  AtomicFile.writeFully(channel, UTF_8.encode("never"));
                }))
        .isInstanceOf(ClosedByInterruptException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(file).hasContent("good");
    assertThat(folder.toFile().list()).containsExactly("weights");
  }

  @Test
  void aMissingFolderIsAnError() {
    var file = folder.resolve("nowhere").resolve("file");
    assertThatThrownBy(() -> AtomicFile.writeString(file, "x"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessage(file + ": there is no folder " + file.getParent() + "; make it first");
  }

  /** Everything that saves, by what it would leave: nothing takes the place of what is no file. */
  static Stream<Named<Writer>> writers() {
    return Stream.of(
        Named.of("text", file -> AtomicFile.writeString(file, "x")),
        Named.of("safetensors", file -> Safetensors.save(file, tensors())),
        Named.of("npz", file -> Npz.save(file, tensors())),
        Named.of("npy", file -> Npy.save(file, Tensor.of(1f, 2f))));
  }

  interface Writer {
    void write(Path file) throws IOException;
  }

  private static Map<String, Tensor> tensors() {
    return Map.of("w", Tensor.of(1f, 2f));
  }

  @ParameterizedTest
  @MethodSource("writers")
  void pipesDevicesAndFoldersStayWhatTheyAre(Writer writer) throws Exception {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    var link = Files.createSymbolicLink(folder.resolve("link"), pipe);
    var inner = Files.createDirectory(folder.resolve("inner"));
    // Not the devices of the machine, which a mistake would take from it.
    var socket = folder.resolve("socket");
    try (var scope = TensorScope.open();
        var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      for (var target : List.of(pipe, link, inner, socket)) {
        assertThatThrownBy(() -> writer.write(target))
            .isInstanceOf(IOException.class)
            .hasMessageStartingWith(target + ": is a ");
        assertThat(Files.isRegularFile(target)).as(target + "").isFalse();
      }
    }
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("pipe", "link", "inner", "socket");
  }

  @ParameterizedTest
  @MethodSource("writers")
  void keepsThePermissionsOfTheOldFile(Writer writer) throws IOException {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    try (var scope = TensorScope.open()) {
      for (var mode : List.of("rw-------", "rw-rw-rw-", "r--r-----", "rwxr-x--x")) {
        var file = Files.writeString(folder.resolve(mode), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        writer.write(file);
        assertThat(Files.readAllBytes(file)).isNotEqualTo("old".getBytes(UTF_8));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
            .isEqualTo(mode);
      }
    }
  }

  @Test
  void whatNobodyElseMayReadIsNotReadableWhileItIsWritten() throws IOException {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var file = Files.writeString(folder.resolve("secret"), "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    AtomicFile.write(
        file,
        channel -> {
          try (var all = Files.list(folder)) {
            for (var each : all.toList()) {
              assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
                  .isEqualTo("rw-------");
            }
          }
        });
  }

  @Test
  void aFolderThatMayNotBeWrittenToNamesTheTarget() throws IOException {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var inner = Files.createDirectory(folder.resolve("inner"));
    var file = inner.resolve("weights");
    Files.setPosixFilePermissions(inner, PosixFilePermissions.fromString("r-xr-xr-x"));
    try {
      assumeTrue(!Files.isWritable(inner), "root writes everywhere");
      assertThatThrownBy(() -> AtomicFile.writeString(file, "x"))
          .isInstanceOf(AccessDeniedException.class)
          .hasMessageStartingWith(file + ": the folder " + inner + " cannot be written to");
    } finally {
      Files.setPosixFilePermissions(inner, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void aLinkToNowhereIsNamed() throws IOException {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("none"));
    assertThatThrownBy(() -> AtomicFile.writeString(link, "x"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageStartingWith(link + ": is a link to where nothing is");
  }

  @Test
  void hasThePermissionsOfAnyOtherFile() throws IOException {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var file = folder.resolve("a");
    AtomicFile.writeString(file, "x");
    var plain = Files.writeString(folder.resolve("b"), "x");
    assertThat(Files.getPosixFilePermissions(file)).isEqualTo(Files.getPosixFilePermissions(plain));
  }

  @Test
  void replacesWhatASymbolicLinkNames() throws IOException {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var file = Files.writeString(folder.resolve("real"), "old");
    var link = Files.createSymbolicLink(folder.resolve("link"), file.getFileName());
    AtomicFile.writeString(link, "new");
    assertThat(Files.isSymbolicLink(link)).isTrue();
    assertThat(file).hasContent("new");
  }
}
