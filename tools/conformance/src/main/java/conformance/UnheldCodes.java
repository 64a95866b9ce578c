package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import java.util.HashSet;
import java.util.Set;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.CanonicalType;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.ValueSet;
import org.hl7.fhir.r4.model.ValueSet.ConceptSetComponent;

/**
 * Says of a code that nobody here can tell whether it is in a value set, where the value set draws on its system by rule
 * ("all of", "is a") and the system's concepts are not held (SNOMED CT, LOINC, ...).
 *
 * <p>The in-memory terminology service would call such a code an error. HL7's own tool without a terminology server
 * says that it was not checked, and so does this, as a warning. A value set that lists its codes is left to the
 * in-memory service, which checks it fully.
 */
final class UnheldCodes implements IValidationSupport {

  private enum Answer {
    LISTED,
    BY_RULE,
    NOT_MENTIONED
  }

  private final FhirContext context;

  UnheldCodes(FhirContext context) {
    this.context = context;
  }

  @Override
  public FhirContext getFhirContext() {
    return context;
  }

  @Override
  public String getName() {
    return "codes of systems not held";
  }

  /** Any value set may draw on such a system; which do is seen when a code is checked. */
  @Override
  public boolean isValueSetSupported(ValidationSupportContext support, String url) {
    return true;
  }

  @Override
  public CodeValidationResult validateCodeInValueSet(
      ValidationSupportContext support,
      ConceptValidationOptions options,
      String system,
      String code,
      String display,
      IBaseResource set) {
    if (system == null
        || !(set instanceof ValueSet valueSet)
        || held(support, system)
        || ask(support, valueSet, system, code, new HashSet<>()) != Answer.BY_RULE) {
      return null;
    }
    String message =
        "Not checked whether " + system + "#" + code + " is in " + valueSet.getUrl() + ": the system is not held";
    return new CodeValidationResult()
        .setCode(code)
        .setSeverity(IssueSeverity.WARNING)
        .setMessage(message)
        .addIssue(
            new CodeValidationIssue(
                message, IssueSeverity.WARNING, CodeValidationIssueCode.NOT_FOUND, CodeValidationIssueCoding.NOT_FOUND));
  }

  private static boolean held(ValidationSupportContext support, String system) {
    return support.getRootValidationSupport().fetchCodeSystem(system) instanceof CodeSystem found
            && found.getContent() != CodeSystem.CodeSystemContentMode.NOTPRESENT
        || system.equals("http://unitsofmeasure.org")
        || system.startsWith("urn:");
  }

  private Answer ask(ValidationSupportContext support, ValueSet set, String system, String code, Set<String> seen) {
    Answer answer = Answer.NOT_MENTIONED;
    for (ConceptSetComponent include : set.getCompose().getInclude()) {
      if (system.equals(include.getSystem())) {
        if (!include.hasConcept()) {
          answer = Answer.BY_RULE;
        } else if (include.getConcept().stream().anyMatch(concept -> code.equals(concept.getCode()))) {
          return Answer.LISTED;
        }
      }
      for (CanonicalType url : include.getValueSet()) {
        IBaseResource other = support.getRootValidationSupport().fetchValueSet(url.getValue());
        if (other instanceof ValueSet otherSet && seen.add(url.getValue())) {
          Answer inner = ask(support, otherSet, system, code, seen);
          if (inner == Answer.LISTED) {
            return inner;
          }
          answer = inner == Answer.BY_RULE ? inner : answer;
        }
      }
    }
    return answer;
  }
}
