package carousel.zoo.language;

import carousel.zoo.run.Failure;
import carousel.zoo.run.History;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What every epoch gave.
 *
 * @param list in order
 */
public record Epochs(List<Epoch> list) {
  /**
   * One reading of the text.
   *
   * @param number from 1
   * @param rate the learning rate
   * @param train the perplexity while the weights changed
   * @param valid the perplexity at the end
   */
  public record Epoch(int number, double rate, double train, double valid) {}

  /** Copies the list. */
  public Epochs {
    list = List.copyOf(list);
  }

  private static History empty() {
    return new History("epoch", "learning_rate", "train_perplexity", "valid_perplexity");
  }

  /**
   * With one more epoch.
   *
   * @param epoch the next
   * @return the longer history
   */
  public Epochs with(Epoch epoch) {
    var longer = new ArrayList<>(list);
    longer.add(epoch);
    return new Epochs(longer);
  }

  /**
   * The epoch of the lowest perplexity on the text to tune on.
   *
   * @return the best; empty before the first
   */
  public Optional<Epoch> best() {
    return list.stream().reduce((a, b) -> b.valid() < a.valid() ? b : a);
  }

  /** As a table: a row for every epoch. */
  History table() {
    var table = empty();
    for (var e : list) {
      table.add(e.number, e.rate, e.train, e.valid);
    }
    return table;
  }

  /** As a file. */
  String csv() {
    return table().csv();
  }

  /**
   * Reads a file.
   *
   * @param name names it in errors
   * @param csv what {@link #csv} wrote
   * @throws Failure if it is not one
   */
  static Epochs parse(String name, String csv) {
    var table = empty();
    table.read(name, csv);
    var epochs = new ArrayList<Epoch>();
    for (int i = 0; i < table.size(); i++) {
      var row = table.row(i);
      if (row[0] != i + 1) {
        throw new Failure(
            String.format(Locale.ROOT, "%s: line %d is not epoch %d", name, i + 2, i + 1));
      }
      epochs.add(new Epoch(i + 1, row[1], row[2], row[3]));
    }
    return new Epochs(epochs);
  }
}
