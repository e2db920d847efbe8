package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.contract.Contract;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The contract of the rows on the emulated device; {@code -Dcarousel.contract.rows=Reduction.*} tries
 * those alone whose name matches.
 */
class CudaContractTest {
  private static final int SHOWN = 8;
  private static final Pattern ROWS =
      Pattern.compile(System.getProperty("carousel.contract.rows", ".*"));

  @TestFactory
  Stream<DynamicTest> everyRow() {
    Device device = Emulated.device();
    Map<String, List<OpCase>> rows =
        OpCases.all()
            .collect(Collectors.groupingBy(OpCase::row, LinkedHashMap::new, Collectors.toList()));
    return rows.entrySet().stream()
        .filter(row -> ROWS.matcher(row.getKey()).matches())
        .map(row -> DynamicTest.dynamicTest(row.getKey(), () -> agrees(row.getValue(), device)));
  }

  private static void agrees(List<OpCase> cases, Device device) {
    List<String> wrong =
        cases.stream().flatMap(c -> Contract.violations(c, device).stream()).toList();
    assertThat(wrong.stream().limit(SHOWN))
        .as("%d of %d cases fail on %s", wrong.size(), cases.size(), device)
        .isEmpty();
  }
}
