package carousel.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against other processes the lock is tested where there are some, by the trainings of the zoo. */
class FolderLockTest {
  @TempDir Path folder;

  @Test
  void onlyOneHoldsItAndTheNextMayWhenThatHasEnded() throws IOException {
    var spelledOtherwise = folder.resolve("..").resolve(folder.getFileName());
    try (var lock = FolderLock.take(folder)) {
      for (var path : new Path[] {folder, spelledOtherwise}) {
        assertThatThrownBy(() -> FolderLock.take(path))
            .isInstanceOf(FolderInUseException.class)
            .hasMessage(
                "%s is being written by this process, %d; wait until that has ended, or write to another folder",
                path, ProcessHandle.current().pid());
      }
      assertThat(folder.resolve(FolderLock.NAME)).hasContent("" + ProcessHandle.current().pid());
    }
    FolderLock.take(folder).close();
  }

  @Test
  void twoFoldersAreLockedApart() throws IOException {
    var other = Files.createDirectory(folder.resolve("other"));
    try (var lock = FolderLock.take(folder);
        var second = FolderLock.take(other)) {
      assertThat(other.resolve(FolderLock.NAME)).exists();
    }
  }

  @Test
  void whatCannotBeLockedIsNotHeld() throws IOException {
    var missing = folder.resolve("missing");
    assertThatThrownBy(() -> FolderLock.take(missing)).isInstanceOf(NoSuchFileException.class);
    var run = folder.resolve("run");
    var inTheWay = Files.createDirectories(run.resolve(FolderLock.NAME));
    assertThatThrownBy(() -> FolderLock.take(run)).isInstanceOf(IOException.class);
    Files.delete(inTheWay);
    FolderLock.take(run).close();
  }
}
