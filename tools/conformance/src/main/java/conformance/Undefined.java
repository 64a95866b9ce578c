package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.CanonicalType;
import org.hl7.fhir.r4.model.ElementDefinition;
import org.hl7.fhir.r4.model.ElementDefinition.TypeRefComponent;
import org.hl7.fhir.r4.model.Enumerations.PublicationStatus;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r4.model.StructureDefinition.ExtensionContextType;
import org.hl7.fhir.r4.model.StructureDefinition.StructureDefinitionKind;
import org.hl7.fhir.r4.model.StructureDefinition.TypeDerivationRule;
import org.hl7.fhir.r4.model.UriType;

/**
 * Bare definitions of the extensions that a loaded profile names as slices but that were not loaded with it.
 *
 * <p>UK Core is loaded in part. Without these, the validator can sort no extension at all into the slices of such a
 * profile and calls every one an error. A bare definition fixes the URL and leaves the rest unchecked.
 */
final class Undefined implements IValidationSupport {

  private static final String EXTENSION = "http://hl7.org/fhir/StructureDefinition/Extension";

  private final FhirContext context;
  private final Map<String, IBaseResource> bare = new HashMap<>();

  Undefined(FhirContext context, List<StructureDefinition> profiles) {
    this.context = context;
    for (StructureDefinition profile : profiles) {
      for (ElementDefinition element : profile.getDifferential().getElement()) {
        for (TypeRefComponent type : element.getType()) {
          if ("Extension".equals(type.getCode())) {
            for (CanonicalType url : type.getProfile()) {
              bare.computeIfAbsent(url.getValue(), Undefined::define);
            }
          }
        }
      }
    }
  }

  private static IBaseResource define(String url) {
    StructureDefinition definition = new StructureDefinition();
    definition.setUrl(url).setName("NotLoaded").setStatus(PublicationStatus.UNKNOWN);
    definition.setKind(StructureDefinitionKind.COMPLEXTYPE).setAbstract(false).setType("Extension");
    definition.setBaseDefinition(EXTENSION).setDerivation(TypeDerivationRule.CONSTRAINT);
    definition.addContext().setType(ExtensionContextType.ELEMENT).setExpression("Element");
    definition.getDifferential().addElement().setPath("Extension").setId("Extension");
    definition.getDifferential().addElement().setPath("Extension.url").setFixed(new UriType(url)).setId("Extension.url");
    return definition;
  }

  @Override
  public FhirContext getFhirContext() {
    return context;
  }

  @Override
  public String getName() {
    return "extensions named by profiles but not loaded";
  }

  @Override
  public IBaseResource fetchStructureDefinition(String url) {
    return bare.get(url);
  }
}
