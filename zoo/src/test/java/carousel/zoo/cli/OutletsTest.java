package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/**
 * All that the program says, to people and to other programs, wherever it runs: nothing that moves a terminal's cursor,
 * the same in every locale, and an end that is no good where it could not be said.
 */
class OutletsTest {
  /** Clears a screen, sounds a bell, is a control character of eight bits, and turns the order of writing. */
  private static final String EVIL = "e\u001b[2Jv\u0007i\u009bl\u202e";

  private static final String LINES =
      "the cat sat on the mat\na dog sat on the rug and the cat saw it\n".repeat(30);

  @TempDir private Path folder;

  /** Every command with what its user gives, as it would be typed; each is done, or ends in an error. */
  private static Map<String, List<Object>> commands(Path place, String name) {
    var text = place.resolve(name + ".txt");
    var run = place.resolve(name);
    var small = List.of("--hidden", 4, "--batch", 2, "--steps", 4, "--epochs", 2);
    var commands = new LinkedHashMap<String, List<Object>>();
    var train = new ArrayList<Object>(List.of("train", "--data", text, "--out", run));
    train.addAll(small);
    commands.put("train", train);
    commands.put("train again", train);
    commands.put("resume", List.of("train", "--resume", run, "--epochs", 3));
    commands.put("no text", List.of("train", "--data", place.resolve(name + "-none")));
    commands.put("no cell", List.of("train", "--cell", name));
    commands.put("no number", List.of("train", "--lr", name));
    commands.put("no option", List.of("train", "--" + name));
    commands.put("no recipe", List.of("train", "--recipe", name));
    commands.put("no tokenizer", List.of("train", "--tokenizer", name));
    commands.put("no time", List.of("train", "--every", name));
    commands.put("no device", List.of("train", "--device", name));
    commands.put("eval", List.of("eval", run));
    commands.put("eval a text", List.of("eval", run, "--data", text));
    commands.put("eval none", List.of("eval", place.resolve(name + "-none")));
    commands.put("eval no run", List.of("eval", place));
    commands.put("sample", List.of("sample", run, "--length", 3));
    commands.put("sample the unknown", List.of("sample", run, "--prompt", "the " + name));
    commands.put("export", List.of("export", run, place.resolve(name + ".onnx")));
    commands.put("export to none", List.of("export", run, place.resolve(name + "-no/m.onnx")));
    commands.put("graph", List.of("graph", "elman", "--out", place.resolve(name + "-graph")));
    commands.put("explain", List.of("explain", "gru", "--hidden", 3, "--inputs", 2, "--batch", 2));
    commands.put("explain none", List.of("explain", name));
    commands.put("gradcheck", List.of("gradcheck", "elman", "--order", 1, "--full"));
    commands.put("list", List.of("list"));
    commands.put("run", List.of("run", "q-learning", "--out", place.resolve(name + "-run")));
    commands.put("run none", List.of("run", name));
    commands.put("run no option", List.of("run", "hopfield", "--neurons", name));
    commands.put("run to none", List.of("run", "q-learning", "--out", text));
    commands.put(
        "resume none", List.of("run", "hopfield", "--resume", place.resolve(name + "-no")));
    commands.put("help of a system", List.of("run", "hopfield", "--help"));
    commands.put("no command", List.of(name));
    commands.put("help", List.of("train", "--help"));
    return commands;
  }

  @Test
  void namesCannotMoveTheCursor() throws Exception {
    Files.writeString(folder.resolve(EVIL + ".txt"), LINES);
    commands(folder, EVIL)
        .forEach((what, command) -> {
          var shell = carousel(command.toArray());
          assertThat((shell.out() + shell.err()).codePoints().filter(OutletsTest::movesCursor))
              .as("%s: %s%s", what, shell.out(), shell.err())
              .isEmpty();
        });
  }

  private static boolean movesCursor(int c) {
    boolean breaks = c == '\n' || c == '\t' || c == '\r';
    return (Character.isISOControl(c) && !breaks) || Character.getType(c) == Character.FORMAT;
  }

  /** What a command says, without what differs from run to run: places, times, and speeds. */
  private static String said(Shell shell, Path place) {
    return (shell.out() + shell.err())
        .replace(place.toString(), "PLACE")
        .replaceAll("[0-9,]+ words/s", "SPEED")
        .replaceAll("[0-9]+ (s|min|h)\\b", "TIME");
  }

  private Map<String, String> everythingSaid(String locale) throws IOException {
    var place = Files.createDirectory(folder.resolve(locale));
    Files.writeString(place.resolve("name.txt"), LINES);
    var all = new TreeMap<String, String>();
    commands(place, "name")
        .forEach((what, command) -> all.put(what, said(carousel(command.toArray()), place)));
    try (var files = Files.walk(place)) {
      for (var file : files.filter(Files::isRegularFile).toList()) {
        String bytes = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        // A checkpoint holds times; of the others every byte is the same.
        boolean comparable =
            file.getFileName().toString().matches(".*\\.(onnx|txt|dot|svg|png|csv)|best.*");
        all.put("file " + place.relativize(file), comparable ? bytes : "");
      }
    }
    return all;
  }

  @Test
  @ResourceLock(Resources.LOCALE)
  void everyLocaleReadsTheSame() throws Exception {
    var before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.ROOT);
      var expected = everythingSaid("root");
      assertThat(expected.get("train")).contains("epoch 2/2", "valid");
      for (var tag : List.of("ar-EG-u-nu-arab", "tr-TR", "de-DE", "hi-IN-u-nu-deva")) {
        Locale.setDefault(Locale.forLanguageTag(tag));
        assertThat(everythingSaid(tag)).as(tag).isEqualTo(expected);
      }
    } finally {
      Locale.setDefault(before);
    }
  }

  /** A disk that is full after so many bytes. */
  private static final class Full extends OutputStream {
    private int room;

    Full(int room) {
      this.room = room;
    }

    @Override
    public void write(int b) throws IOException {
      if (room-- <= 0) {
        throw new IOException("No space left on device");
      }
    }
  }

  private static void expectUnwritten(int room, Object... arguments) {
    var err = new StringWriter();
    var texts = Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new);
    int code = Carousel.run(Output.to(new Full(room)), new PrintWriter(err), texts);
    assertThat(code).as(err.toString()).isEqualTo(1);
    assertThat(err.toString())
        .contains("carousel: the output cannot be written: No space left on device");
  }

  @Test
  void whatCannotBeSaidEndsWithOne() throws Exception {
    Files.writeString(folder.resolve("name.txt"), LINES);
    var commands = commands(folder, "name");
    expectUnwritten(
        0, requireNonNull(commands.get("train")).toArray()); // which goes on, and is there
    for (var what : List.of("eval", "sample", "export", "graph", "explain", "gradcheck", "help")) {
      expectUnwritten(0, requireNonNull(commands.get(what)).toArray());
    }
    expectUnwritten(0, "doctor");
    expectUnwritten(0, "--version");
    expectUnwritten(40, "--help");
    // A long text ends where nobody reads it.
    expectUnwritten(10, "sample", folder.resolve("name"), "--length", Integer.MAX_VALUE);
  }
}
