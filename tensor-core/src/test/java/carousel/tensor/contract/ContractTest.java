package carousel.tensor.contract;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every row on every device of this machine, against the reference; {@code
 * -Dcarousel.contract.rows=Reduce.*} tries those alone whose name matches.
 */
class ContractTest {
  private static final int SHOWN = 8;
  private static final Pattern ROWS =
      Pattern.compile(System.getProperty("carousel.contract.rows", ".*"));

  @TestFactory
  Stream<DynamicContainer> everyDeviceAgreesWithTheReference() {
    Map<String, List<OpCase>> rows =
        OpCases.all()
            .filter(c -> ROWS.matcher(c.row()).matches())
            .collect(Collectors.groupingBy(OpCase::row, LinkedHashMap::new, Collectors.toList()));
    return Devices.underTest().stream()
        .filter(device -> device != Device.reference())
        .map(device ->
            DynamicContainer.dynamicContainer(
                device.name(),
                rows.entrySet().stream()
                    .map(row ->
                        DynamicTest.dynamicTest(
                            row.getKey(), () -> agrees(row.getValue(), device)))));
  }

  private static void agrees(List<OpCase> cases, Device device) {
    List<String> wrong =
        cases.stream().flatMap(c -> Contract.violations(c, device).stream()).toList();
    assertThat(wrong.stream().limit(SHOWN))
        .as("%d of %d cases fail on %s", wrong.size(), cases.size(), device)
        .isEmpty();
  }
}
