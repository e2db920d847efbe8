package carousel.cuda.emulator;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A kernel as its file declares it.
 *
 * @param symbol its name
 * @param types the types of its parameters, without their names: {@code const float*}, {@code
 *     Positions<2>}
 */
public record KernelDeclaration(String symbol, List<String> types) {
  private static final Pattern DECLARATION =
      Pattern.compile(
          "__global__\\s+void\\s+(?:__launch_bounds__\\s*\\([^)]*\\)\\s*)?(\\w+)\\s*\\(([^)]*)\\)\\s*\\{");
  private static final Pattern NAME = Pattern.compile("\\w+\\s*$");

  /**
   * The kernels of a file.
   *
   * @param text the file, macros expanded
   * @return its kernels in order
   */
  public static List<KernelDeclaration> in(String text) {
    return DECLARATION
        .matcher(text)
        .results()
        .map(found ->
            new KernelDeclaration(
                found.group(1),
                Arrays.stream(found.group(2).split(",", -1)).map(KernelDeclaration::type).toList()))
        .toList();
  }

  private static String type(String parameter) {
    String type = NAME.matcher(parameter).replaceFirst("").replace("__restrict__", "");
    return type.strip().replaceAll("\\s+", " ").replace(" *", "*");
  }
}
