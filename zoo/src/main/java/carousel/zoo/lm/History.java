package carousel.zoo.lm;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What every epoch gave, as a CSV file: {@value #HEADER}.
 *
 * @param epochs in order
 */
public record History(List<Epoch> epochs) {
  private static final String HEADER =
      "epoch,learning_rate,train_perplexity,valid_perplexity,words_per_second,seconds";

  /**
   * One reading of the text.
   *
   * @param number from 1
   * @param rate the learning rate
   * @param train the perplexity while the weights changed
   * @param valid the perplexity at the end
   * @param speed words per second in training
   * @param seconds with the measuring of the perplexity
   */
  public record Epoch(
      int number, double rate, double train, double valid, double speed, double seconds) {}

  /** Copies the list. */
  public History {
    epochs = List.copyOf(epochs);
  }

  /**
   * With one more epoch.
   *
   * @param epoch the next
   * @return the longer history
   */
  public History with(Epoch epoch) {
    var longer = new ArrayList<>(epochs);
    longer.add(epoch);
    return new History(longer);
  }

  /**
   * The epoch of the lowest perplexity on the text to tune on.
   *
   * @return the best; empty before the first
   */
  public Optional<Epoch> best() {
    return epochs.stream().reduce((a, b) -> b.valid() < a.valid() ? b : a);
  }

  /**
   * As a file.
   *
   * @return the header, and a line for every epoch
   */
  String csv() {
    var text = new StringBuilder(HEADER).append('\n');
    for (var e : epochs) {
      text.append(
          String.format(
              Locale.ROOT,
              "%d,%s,%s,%s,%.1f,%.1f%n",
              e.number,
              e.rate,
              e.train,
              e.valid,
              e.speed,
              e.seconds));
    }
    return text.toString().replace(System.lineSeparator(), "\n");
  }

  /**
   * Reads a file.
   *
   * @param name names it in errors
   * @param csv what {@link #csv} wrote
   * @return the history
   * @throws Failure if it is not one
   */
  static History parse(String name, String csv) {
    var lines = csv.lines().toList();
    if (lines.isEmpty() || !lines.getFirst().equals(HEADER)) {
      throw new Failure(String.format(Locale.ROOT, "%s: its first line must be %s", name, HEADER));
    }
    var epochs = new ArrayList<Epoch>();
    for (var line : lines.subList(1, lines.size())) {
      var number = epochs.size() + 1;
      try {
        epochs.add(epoch(number, line.split(",", -1)));
      } catch (NumberFormatException e) {
        throw new Failure(
            String.format(
                Locale.ROOT, "%s: line %d, '%s', is not epoch %d", name, number + 1, line, number),
            e);
      }
    }
    return new History(epochs);
  }

  /** The epoch of a line; one of another number is none, either. */
  private static Epoch epoch(int number, String... cells) {
    if (cells.length != 6 || Integer.parseInt(cells[0]) != number) {
      throw new NumberFormatException();
    }
    return new Epoch(
        number,
        Double.parseDouble(cells[1]),
        Double.parseDouble(cells[2]),
        Double.parseDouble(cells[3]),
        Double.parseDouble(cells[4]),
        Double.parseDouble(cells[5]));
  }
}
