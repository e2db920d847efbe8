package carousel.nn.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        .hasMessage("No space left on device");
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
          if (calls.incrementAndGet() < 4) Thread.currentThread().interrupt();
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
        var text = (i + "\n").repeat(5000);
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
      while (other.isAlive()) Thread.onSpinWait(); // a join would be interrupted
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
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nowhere");
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
