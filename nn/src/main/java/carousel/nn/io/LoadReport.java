package carousel.nn.io;

import java.util.List;

/**
 * What a load that need not be whole has done: part of a model from part of a file.
 *
 * @param loaded the names of the weights that were overwritten
 * @param missing the names of those that the file lacks, which are as they were
 * @param unexpected the names in the file that the model lacks
 */
public record LoadReport(List<String> loaded, List<String> missing, List<String> unexpected) {
  /** Copies the lists. */
  public LoadReport {
    loaded = List.copyOf(loaded);
    missing = List.copyOf(missing);
    unexpected = List.copyOf(unexpected);
  }

  /**
   * Whether all weights of the model, and nothing else, were in the file.
   *
   * @return whether nothing is missing or unexpected
   */
  public boolean isWhole() {
    return missing.isEmpty() && unexpected.isEmpty();
  }
}
