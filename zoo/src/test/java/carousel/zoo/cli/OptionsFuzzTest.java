package carousel.zoo.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.tensor.fuzz.Fuzz;
import carousel.tensor.fuzz.Reader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged command lines, an argument per line. */
class OptionsFuzzTest {
  @TempDir Path folder;

  /** A command line that is refused, as its complaint. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refused(String complaint) {
      super(complaint);
    }
  }

  /** All are about texts and runs that are not there, so that nothing is trained. */
  private record OptionsReader(Path folder) implements Reader {
    @Override
    public String name() {
      return "options";
    }

    @Override
    public List<byte[]> sound() {
      return List.of(
          "--help".getBytes(UTF_8),
          ("--recipe\nwords\n--cell\nlstm\n--hidden\n12\n--layers\n2\n--batch\n3\n--steps\n4\n"
                  + "--epochs\n5\n--help")
              .getBytes(UTF_8),
          ("--level\nchar\n--optimizer\nsgd\n--lr\n0.5\n--clip=1\n--dropout\n0.2\n--seed\n7\n"
                  + "--device\ncpu\n--help")
              .getBytes(UTF_8));
    }

    @Override
    public Class<Refused> refusal() {
      return Refused.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var arguments = new ArrayList<Object>(List.of("train"));
      arguments.addAll(new String(Files.readAllBytes(file), UTF_8).lines().toList());
      arguments.addAll(List.of("--data", folder.resolve("none")));
      var run = Shell.carousel(arguments.toArray());
      if (run.code() == 0) {
        return;
      }
      String complaint = run.complaint();
      if (complaint.contains("a mistake in Carousel")) {
        throw new AssertionError(complaint);
      }
      boolean invisible =
          complaint.chars().anyMatch(c -> c != '\n' && c != '\t' && Character.isISOControl(c));
      if (invisible) {
        throw new AssertionError("moves the cursor: " + complaint);
      }
      throw new Refused(complaint);
    }

    @Override
    public long heap(long size) {
      return (8L << 20) + 5000 * size;
    }

    @Override
    public int cost() {
      return 20;
    }
  }

  @Test
  void options() throws Exception {
    Fuzz.run(new OptionsReader(folder), folder);
  }
}
