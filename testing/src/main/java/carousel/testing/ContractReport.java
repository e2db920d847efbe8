package carousel.testing;

import java.util.List;

/**
 * What a contract that holds has looked at.
 *
 * @param name of the op or the cell
 * @param checks how many comparisons held
 * @param notes what is worth knowing: devices that are not there, whether there is a kernel, what was left
 *     out
 */
public record ContractReport(String name, int checks, List<String> notes) {
  /** Copies the list. */
  public ContractReport {
    notes = List.copyOf(notes);
  }

  /** The name, the number of checks, and a note a line. */
  @Override
  public String toString() {
    return name + " keeps its contract: " + checks + " checks\n  " + String.join("\n  ", notes);
  }
}
