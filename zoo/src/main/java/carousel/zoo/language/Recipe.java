package carousel.zoo.language;

import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings that are known to work together. Options that are given on top of a recipe win.
 *
 * <p>Source of the Zaremba recipes: W. Zaremba, I. Sutskever and O. Vinyals, Recurrent neural network
 * regularization (2014), and its published code.
 */
public enum Recipe {
  /** The generated text of {@link Data#GENERATED}, in under a minute on two cores. */
  AGREEMENT(
      "agreement",
      "the generated text, in under a minute on 2 cores",
      "hidden=128 layers=1 batch=20 steps=20 epochs=4 optimizer=adam lr=0.004 decay=2 decay-after=2"
          + " clip=5 dropout=0 bound=0"),

  /** A text of one's own, by words. */
  WORDS(
      "words",
      "a text of your own, by words",
      "hidden=256 layers=1 batch=20 steps=35 epochs=10 optimizer=adam lr=0.002 decay=1.5"
          + " decay-after=4 clip=5 dropout=0.2 bound=0"),

  /** A text of one's own, by characters. */
  CHARACTERS(
      "characters",
      "a text of your own, by characters",
      "level=char hidden=256 layers=1 batch=32 steps=100 epochs=10 optimizer=adam lr=0.004 decay=1.5"
          + " decay-after=5 clip=5 dropout=0.1 bound=0"),

  /** The network without regularisation. */
  ZAREMBA_SMALL(
      "zaremba-small",
      "Penn Treebank, 2 × 200: published 120.7 valid, 114.5 test",
      "hidden=200 layers=2 batch=20 steps=20 epochs=13 optimizer=sgd lr=1 decay=2 decay-after=4"
          + " clip=5 dropout=0 bound=0.1"),

  /** The medium network with dropout. */
  ZAREMBA_MEDIUM(
      "zaremba-medium",
      "Penn Treebank, 2 × 650: published 86.2 valid, 82.7 test",
      "hidden=650 layers=2 batch=20 steps=35 epochs=39 optimizer=sgd lr=1 decay=1.2 decay-after=6"
          + " clip=5 dropout=0.5 bound=0.05"),

  /** The large network with dropout. */
  ZAREMBA_LARGE(
      "zaremba-large",
      "Penn Treebank, 2 × 1500: published 82.2 valid, 78.4 test",
      "hidden=1500 layers=2 batch=20 steps=35 epochs=55 optimizer=sgd lr=1 decay=1.15"
          + " decay-after=14 clip=10 dropout=0.65 bound=0.04");

  private final String label;
  private final String purpose;
  private final Map<String, String> settings = new LinkedHashMap<>();

  Recipe(String label, String purpose, String text) {
    this.label = label;
    this.purpose = purpose;
    settings.putAll(Map.of("cell", "lstm", "level", "word", "seed", "1", "device", "cpu"));
    settings.putAll(Map.of("tokenizer", "spaces", "vocabulary", "0", "min-count", "1"));
    settings.put("tokens", "250000");
    for (var setting : text.split(" ")) {
      int at = setting.indexOf('=');
      settings.put(setting.substring(0, at), setting.substring(at + 1));
    }
  }

  /**
   * The name, as the option spells it.
   *
   * @return e.g. {@code zaremba-small}
   */
  public String label() {
    return label;
  }

  /**
   * What it is for.
   *
   * @return a phrase
   */
  public String purpose() {
    return purpose;
  }

  /**
   * The values it gives to {@link Settings}, all but the data.
   *
   * @return by name; a copy
   */
  public Map<String, String> settings() {
    return new LinkedHashMap<>(settings);
  }

  /**
   * Whether it is known by what it reaches on one text, and says little of any other.
   *
   * @return true for the recipes of Penn Treebank
   */
  public boolean readsPennTreebank() {
    return purpose.startsWith("Penn Treebank");
  }

  /**
   * All names.
   *
   * @return in order
   */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Recipe::label).toList();
  }

  /**
   * The recipe of a name.
   *
   * @param label the name
   * @return the recipe
   * @throws Failure naming the nearest, if there is none
   */
  public static Recipe of(String label) {
    Choice.require("--recipe", label, labels());
    return Arrays.stream(values()).filter(r -> r.label.equals(label)).findFirst().orElseThrow();
  }
}
