package carousel.zoo.lm;

import carousel.nn.data.TokenLevel;
import carousel.nn.optim.Schedule;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.function.Function;

/**
 * All that decides what a training gives: the same settings and data give the same weights, on any
 * number of threads.
 *
 * @param data {@link Data#GENERATED}, or the path of a folder or file
 * @param level what a token is
 * @param tokenizer what parts the words of a line
 * @param vocabulary the most tokens that are known, {@code <unk>} and {@code <eos>} with them; 0 for all there are
 * @param minCount how often a token must occur to be known
 * @param cell the name of the recurrent cell
 * @param hidden H, the size of the embedding and of every layer
 * @param layers how many recurrent layers, up to 1000
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
    String data,
    TokenLevel level,
    Tokenizer tokenizer,
    int vocabulary,
    int minCount,
    String cell,
    int hidden,
    int layers,
    int batch,
    int steps,
    int epochs,
    String optimizer,
    double lr,
    double decay,
    int decayAfter,
    double clip,
    double dropout,
    double bound,
    long seed,
    String device) {
  /** The names of {@link #level}, as the options spell them. */
  public static final Map<String, TokenLevel> LEVELS = levels();

  /** The names of {@link #optimizer}. */
  public static final List<String> OPTIMIZERS = List.of("sgd", "adam");

  /** More than a training can use: what a damaged file asks for ends here, not with the memory. */
  private static final int MOST_LAYERS = 1000;

  /** The two that are always there, and a token. */
  private static final int LEAST_VOCABULARY = 3;

  /** What holds for the runs of a time when there was no choice. */
  private static final Map<String, String> WITHOUT =
      Map.of("tokenizer", Tokenizer.SPACES.label(), "vocabulary", "0", "min-count", "1");

  /** Checks that every number makes sense. */
  public Settings {
    require(
        "vocabulary",
        vocabulary,
        x -> x == 0 || x >= LEAST_VOCABULARY,
        LEAST_VOCABULARY + " or more, or 0 for all there are");
    atLeastOne("min-count", minCount);
    if (tokenizer != Tokenizer.SPACES && level != TokenLevel.WORD) {
      throw Failure.usage(
          String.format(
              Locale.ROOT,
              "--tokenizer %s parts words, and --level char has none",
              tokenizer.label()));
    }
    atLeastOne("hidden", hidden);
    require("layers", layers, x -> x >= 1 && x <= MOST_LAYERS, "from 1 to " + MOST_LAYERS);
    atLeastOne("batch", batch);
    atLeastOne("steps", steps);
    atLeastOne("epochs", epochs);
    require("lr", lr, x -> x > 0, "above 0");
    require("decay", decay, x -> x > 0, "above 0");
    require("decay-after", decayAfter, x -> x >= 0, "0 or more");
    require("clip", clip, x -> x >= 0, "0 (no clipping) or more");
    require("dropout", dropout, x -> x >= 0 && x < 1, "from 0 to below 1");
    require("bound", bound, x -> x >= 0, "0 or more");
    Choice.require("--optimizer", optimizer, OPTIMIZERS);
  }

  private static Map<String, TokenLevel> levels() {
    var levels = new LinkedHashMap<String, TokenLevel>();
    levels.put("word", TokenLevel.WORD);
    levels.put("char", TokenLevel.CHARACTER);
    return levels;
  }

  private static void atLeastOne(String option, int value) {
    require(option, value, x -> x >= 1, "1 or more");
  }

  private static void require(String option, double value, DoublePredicate fits, String wanted) {
    if (fits.test(value) && Double.isFinite(value)) return;
    var integral = value == Math.rint(value) && Math.abs(value) < 1e15;
    throw Failure.usage(
        String.format(
            Locale.ROOT,
            "--%s must be %s, got %s",
            option,
            wanted,
            integral ? Long.toString((long) value) : "" + value));
  }

  /**
   * Settings by name, as a run folder keeps them and a {@link Recipe} gives them.
   *
   * @param values a value for each component, by its name as an option; others are ignored
   * @param origin where they are from, for errors
   * @return the settings
   * @throws Failure if one is missing or misspelt
   */
  public static Settings of(Map<String, String> values, String origin) {
    var read = new Reading(values, origin);
    var level = Choice.require("--level", read.text("level"), LEVELS.keySet());
    return new Settings(
        read.text("data"),
        LEVELS.getOrDefault(level, TokenLevel.WORD),
        Tokenizer.of(read.text("tokenizer")),
        read.integer("vocabulary"),
        read.integer("min-count"),
        read.text("cell"),
        read.integer("hidden"),
        read.integer("layers"),
        read.integer("batch"),
        read.integer("steps"),
        read.integer("epochs"),
        read.text("optimizer"),
        read.number("lr"),
        read.number("decay"),
        read.integer("decay-after"),
        read.number("clip"),
        read.number("dropout"),
        read.number("bound"),
        (long) read.parse("seed", Long::valueOf, "a whole number"),
        read.text("device"));
  }

  /**
   * The settings by name; {@link #of} reads them back.
   *
   * @return in the order of the components
   */
  public Map<String, String> values() {
    var values = new LinkedHashMap<String, String>();
    values.put("data", data);
    values.put("level", level == TokenLevel.WORD ? "word" : "char");
    values.put("tokenizer", tokenizer.label());
    values.put("vocabulary", Integer.toString(vocabulary));
    values.put("min-count", Integer.toString(minCount));
    values.put("cell", cell);
    values.put("hidden", Integer.toString(hidden));
    values.put("layers", Integer.toString(layers));
    values.put("batch", Integer.toString(batch));
    values.put("steps", Integer.toString(steps));
    values.put("epochs", Integer.toString(epochs));
    values.put("optimizer", optimizer);
    values.put("lr", Double.toString(lr));
    values.put("decay", Double.toString(decay));
    values.put("decay-after", Integer.toString(decayAfter));
    values.put("clip", Double.toString(clip));
    values.put("dropout", Double.toString(dropout));
    values.put("bound", Double.toString(bound));
    values.put("seed", Long.toString(seed));
    values.put("device", device);
    return values;
  }

  /**
   * The learning rate of every epoch, {@code lr / decay^max(0, k + 1 − decayAfter)}.
   *
   * @return by epoch, from 0
   */
  public Schedule schedule() {
    return k -> lr * Math.pow(decay, -Math.max(0, k + 1 - decayAfter));
  }

  /** Reads values by name, and says which is wrong. */
  private record Reading(Map<String, String> values, String origin) {
    String text(String name) {
      var value = values.getOrDefault(name, WITHOUT.get(name));
      if (value == null)
        throw new Failure(String.format(Locale.ROOT, "%s: '%s' is missing", origin, name));
      return value;
    }

    int integer(String name) {
      return parse(name, Integer::valueOf, "a whole number");
    }

    double number(String name) {
      return parse(name, Double::valueOf, "a number");
    }

    <T> T parse(String name, Function<String, T> parser, String wanted) {
      var value = text(name);
      try {
        return parser.apply(value);
      } catch (NumberFormatException e) {
        throw new Failure(
            String.format(Locale.ROOT, "%s: %s must be %s, got '%s'", origin, name, wanted, value),
            e);
      }
    }
  }
}
