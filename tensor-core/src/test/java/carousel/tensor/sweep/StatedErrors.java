package carousel.tensor.sweep;

import carousel.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The errors of elementwise rows that docs/performance.md states, in units in the last place. A row that it
 * does not name rounds once.
 */
public final class StatedErrors {
  private static final String HEAD = "| row | F32 | falls | F64 |";

  private final Map<String, String[]> lines = new HashMap<>();

  private StatedErrors() {}

  /**
   * Reads the table.
   *
   * @return what it says
   */
  public static StatedErrors read() {
    var stated = new StatedErrors();
    boolean inside = false;
    try {
      for (String line : Files.readAllLines(documentation())) {
        if (line.equals(HEAD)) {
          inside = true;
        } else if (inside && line.startsWith("|") && !line.startsWith("|---")) {
          String[] cells = line.split("\\|");
          stated.lines.put(cells[1].strip(), cells);
        } else if (!line.startsWith("|")) {
          inside = false;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (stated.lines.isEmpty()) {
      throw new IllegalStateException("docs/performance.md has no table " + HEAD);
    }
    return stated;
  }

  private static Path documentation() {
    var name = Path.of("docs", "performance.md");
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.exists(at.resolve(name))) {
        return at.resolve(name);
      }
    }
    throw new IllegalStateException("there is no " + name + " above the working directory");
  }

  /**
   * The greatest error of a row.
   *
   * @param row its name
   * @param type F32: from the exact result; F64: from the definition's, which rounds by itself
   * @return in units in the last place
   */
  public double bound(String row, DType type) {
    String[] cells = lines.get(row);
    if (cells == null) {
      return type == DType.F32 ? 0.5 : 0;
    }
    return Double.parseDouble(cells[type == DType.F32 ? 2 : 4].strip());
  }

  /**
   * Whether a row of F32 may be on the wrong side of its neighbour.
   *
   * @param row its name
   * @return whether the table says that it happens
   */
  public boolean mayFall(String row) {
    String[] cells = lines.get(row);
    return cells != null && !cells[3].strip().equals("never");
  }

  /**
   * The rows that are named.
   *
   * @return their names
   */
  public Iterable<String> rows() {
    return lines.keySet();
  }
}
