package carousel.zoo.language;

import carousel.nn.optim.Schedule;
import carousel.nn.recurrent.Cells;
import carousel.tensor.Device;
import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import carousel.zoo.system.Choices;
import carousel.zoo.system.Option;
import carousel.zoo.system.Options;
import carousel.zoo.system.Seeded;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * All that decides what a training gives: the same settings and data give the same weights, on any
 * number of threads.
 *
 * @param data {@link Data#GENERATED}, or the path of a folder or file
 * @param tokens how long the generated text is, at least
 * @param level what a token is
 * @param tokenizer what parts the words of a line
 * @param vocabulary the most tokens that are known, {@code <unk>} and {@code <eos>} with them; 0 for all there are
 * @param minCount how often a token must occur to be known
 * @param cell the name of the recurrent cell
 * @param hidden H, the size of the embedding and of every layer
 * @param layers how many recurrent layers
 * @param batch N, how many parts of the text are read side by side
 * @param steps T, how far gradients flow back
 * @param epochs how often the text is read
 * @param optimizer {@code sgd} or {@code adam}
 * @param lr the first learning rate
 * @param decay what the learning rate is divided by after each epoch, once {@code decayAfter} epochs
 *     are over
 * @param decayAfter for how many epochs the first learning rate holds
 * @param clip the largest norm of the gradients of {@code T · mean loss}; 0 for no clipping
 * @param dropout the probability of dropping a number between layers
 * @param bound all weights start from {@code U[−bound, bound)}; 0 for what each layer's own
 *     initialiser gives
 * @param seed of the weights, the dropout and the generated text
 * @param device where it is computed
 */
public record Settings(
    @Option(
            value = "A folder with *.train.txt, *.valid.txt, *.test.txt, or one text file",
            label = "DIR|FILE",
            tunable = true)
        String data,
    @Option(value = "Words of the generated text, where no other is given", min = 1000) int tokens,
    @Option(value = "What a token is", label = "LEVEL") Level level,
    @Option("What parts words; kuromoji knows those of Japanese, which is written without spaces")
        Tokenizer tokenizer,
    @Option("Keep the N most frequent tokens, and read the others as <unk>; 0: all") int vocabulary,
    @Option(
            value = "Keep the tokens that occur K times or more in the training text",
            label = "K",
            min = 1)
        int minCount,
    @Option(value = "The recurrent cell", choices = OfCells.class) String cell,
    @Option(value = "Size of embedding and layers", label = "H", min = 1) int hidden,
    @Option(value = "Recurrent layers", min = 1, max = 1000) int layers,
    @Option(value = "Parts of the text side by side", min = 1) int batch,
    @Option(value = "Steps of truncated BPTT", label = "T", min = 1) int steps,
    @Option(value = "How often to read the text", min = 1, tunable = true) int epochs,
    @Option(value = "What changes the weights", choices = Optimizers.class) String optimizer,
    @Option(value = "The first learning rate", above = 0, tunable = true) double lr,
    @Option(
            value = "What the learning rate is divided by after every epoch of the later ones",
            above = 0,
            tunable = true)
        double decay,
    @Option(value = "For how many epochs the first learning rate holds", min = 0, tunable = true)
        int decayAfter,
    @Option(
            value =
                "Largest norm of the gradients; 0: no clipping. They are those of T times the mean loss of"
                    + " a token, T the --steps, as in the literature: what clips at 1 by the mean clips at T"
                    + " here",
            min = 0,
            tunable = true)
        double clip,
    @Option(
            value = "Probability of dropping a number between layers",
            label = "P",
            min = 0,
            below = 1,
            tunable = true)
        double dropout,
    @Option(
            value = "Weights start from U[-X, X); 0: as each layer's own initialiser has it",
            min = 0)
        double bound,
    @Option("The same seed, the same weights") long seed,
    @Option(value = "Where to compute: cpu, cuda, cuda:1 ..., cuda-emulated", tunable = true)
        String device)
    implements Seeded {
  /** The two that are always there, and a token. */
  static final int LEAST_VOCABULARY = 3;

  private static final Options<Settings> OPTIONS = Options.of(Settings.class);

  /** Checks what no option says alone. */
  public Settings {
    if (vocabulary != 0 && vocabulary < LEAST_VOCABULARY) {
      throw Failure.usage(
          String.format(
              Locale.ROOT,
              "--vocabulary must be %d or more, or 0 for all there are, got %d",
              LEAST_VOCABULARY,
              vocabulary));
    }
    if (tokenizer != Tokenizer.SPACES && level != Level.WORD) {
      throw Failure.usage(
          String.format(
              Locale.ROOT,
              "--tokenizer %s parts words, and --level char has none",
              tokenizer.label()));
    }
  }

  /** The names of {@link Settings#optimizer}. */
  static final class Optimizers implements Choices {
    @Override
    public List<String> names() {
      return List.of("sgd", "adam");
    }
  }

  /** The names of {@link Settings#cell}. */
  static final class OfCells implements Choices {
    @Override
    public List<String> names() {
      return Cells.names();
    }
  }

  /**
   * Settings of a file, as a run folder keeps them.
   *
   * @param values a value for each component, by its name as an option; others are ignored
   * @param file where they are from, for errors
   * @return the settings
   * @throws Failure if one is missing or misspelt
   */
  public static Settings of(Map<String, String> values, String file) {
    return OPTIONS.read(values, file);
  }

  /**
   * The settings by name; {@link #of} reads them back.
   *
   * @return in the order of the components
   */
  public Map<String, String> values() {
    return OPTIONS.values(this);
  }

  /**
   * Checks that the device is there. A CUDA device need not be listed to be there; where it is not, opening it says
   * why.
   *
   * @throws Failure naming the nearest, if there is none of that name
   */
  public void requireDevice() {
    var names = Device.all().stream().map(Device::name).toList();
    if (!device.startsWith("cuda")) {
      Choice.require("--device", device, names);
    }
    var unused = Device.of(device);
  }

  /**
   * The learning rate of every epoch, {@code lr / decay^max(0, k + 1 − decayAfter)}.
   *
   * @return by epoch, from 0
   */
  public Schedule schedule() {
    return k -> lr * Math.pow(decay, -Math.max(0, k + 1 - decayAfter));
  }
}
