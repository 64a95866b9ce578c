"""What fuzzing starts from: expressions of every kind, small resources, patterns and values to work with."""

from __future__ import annotations

from typing import Any, Final

EXPRESSIONS: Final = (
    "item.where(linkId = 'pain.score').answer.value > 6",
    "%resource.item.where(linkId = 'a').answer.value.code.where($this in ('x' | 'y')).exists()",
    "item.answer.value.ofType(Quantity) > 5 'kg'",
    "(item.answer.value as Quantity).value * 2 - 1.5 / 3 div 1 mod 2",
    "descendants().where($this is string).count() + children().count()",
    "repeat(item).linkId.distinct() | repeat(answer).value.toString()",
    "name.given.select($this & '!').aggregate($this & $total, '')",
    "name.select(given.first() + ' ' + family).trace('names').join(', ')",
    "birthDate + 18 years <= today() and birthDate.toDateTime() < now()",
    "birthDate - 1 month + 3 days | now() + 4 hours | timeOfDay() - 30 minutes",
    "@2020-02-29 + 1 year = @2021-02-28 and @T23:30 + 1 hour = @T00:30",
    "entry.resource.ofType(Observation).value.value.where($this > 3.0).sum()",
    "entry.resource.all(status in ('final' | 'amended')) implies entry.exists()",
    "entry.fullUrl.sort(-$this).skip(1).take(3).tail().last()",
    "entry[0].resource.type().name & entry.resource.code.coding[$index].display",
    "iif(active, 'yes', iif(active.not(), 'no')) xor gender.empty()",
    "active.hasValue() and _birthDate.exists().not() or name.allTrue()",
    "extension('https://example.org/a').value.children().type()",
    "birthDate.extension.value | gender.id",
    "identifier.where(system.startsWith('http') or value.matches('[0-9]+')).value.substring(1, 3)",
    "'abc'.indexOf('c') + 'abc'.length() - 'a,b'.split(',').count()",
    "'aXb'.lower().upper().toChars().last().replace('B', 'c').encode('base64').decode('base64')",
    "name.family.replaceMatches('(.)(.)', '$2$1').trim().escape('html').unescape('json')",
    "1.5.round(0) + 2.power(3) + 9.sqrt() + 2.7.floor() + (-2.7).abs().ceiling() + 1.exp().ln().log(2)",
    "'1.50'.toDecimal() = 1.5 and '4 days'.toQuantity() ~ 96 'h' and '2020'.convertsToDate()",
    "1.587.lowBoundary(2) | @2014.highBoundary(6) | 4.5 'cm'.precision()",
    "contact.relationship.coding.exclude(%a).intersect(%c).isDistinct()",
    "subsetOf(%context) and supersetOf(%b) and %a.combine(%c).count() > 1",
    "defineVariable('n', name).select(%n.given | %rootResource.id)",
    "contained.where(id = 'x') = %resource.contained.first() or contained ~ contained",
    "conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')",
    "subject.resolve().id | %`vs-a` | %loinc | %ucum",
    "code.memberOf('https://example.org/vs') | code.subsumes(code)",
    "item.answer.value.toInteger() | item.answer.value.toTime() | item.answer.value.toBoolean()",
    "$this.item.select($index).where($this > 0).single()",
    "text.`div`.htmlChecks() and meta.lastUpdated.is(instant)",
    "%a + %a.first() | %b | %c",
    "name[0].given[1] = 'x' or {} = {} or name !~ name",
    "-item.answer.value.ofType(integer).first() < +3",
    "item.answer.value.comparable(1 'cm') | item.answer.value.min() | item.answer.value.avg()",
    "item.answer.value.code.select(iif($this in ('x' | 'y'), true, iif($this = 'z', false, {})))",
    "('x' in %resource.item.where(linkId = 'a').answer.value.code).not()",
    "item.item.answer.value.toString().select(iif(length() = 7, ($this & '-01').toDate(), {}))",
    "%resource.select(item.where(linkId = 'a').answer.value.code + '/' + item.where(linkId = 'b').linkId)",
    "authored.toString().length() > 10 implies authored >= @2026-01-01T00:00:00Z",
    "entry.where(resource is Observation and resource.value.unit = 'cm').resource.value.value.avg()",
    "entry.resource.value.where($this > 1 'cm' or value < 2).select(value * 2.54)",
    "Patient.name.where(use.empty() or use != 'old').given.combine(Patient.name.family).allTrue()",
    "name.given.where($this.startsWith('J') and $this.endsWith('o') and $this.contains('o')).exists()",
    "name.all(given.exists() or text.exists()) and name.exists(family = 'Doe') and name.count() <= 2",
    "contact.telecom.where(system = 'phone').value.first() | telecom.rank.sort($this desc)",
    "birthDate is date and birthDate.is(FHIR.date) and (birthDate is System.Date).not()",
    "(active as boolean) = true and name.ofType(HumanName).count() = name.count()",
    "meta.tag.where(system = %`sct`).code | meta.security.exists(code ~ 'R') | meta.profile",
    "deceased.ofType(boolean) = false or deceased.ofType(dateTime) <= now()",
    "multipleBirth + 1 | multipleBirth.toDecimal() / 2 | multipleBirth.toQuantity()",
    "children().children().select($this.type().namespace).distinct()",
    "descendants().ofType(Coding).where(code = 'x' and system.exists()).display.join('; ')",
    "repeat(item | answer).where(linkId.exists()).select(linkId & ':' & answer.value.count().toString())",
    "entry.resource.select(code.coding.code & '=' & value.value.toString()).join('&').encode('base64')",
    "now().yearOf() + birthDate.monthOf() - now().timezoneOffsetOf()",
)
"""They compile over any context, with the variables a, b and c."""

PATTERNS: Final = (
    "%a.matches(%b)",
    "%a.matchesFull(%b)",
    "%a.replaceMatches(%b, %c)",
)

VALUES: Final = (
    "%a.toDate() | %a.toDateTime() | %a.toTime()",
    "%a.toQuantity() | %a.toDecimal() | %a.toInteger() | %a.toBoolean()",
    "%a.toDate() + %b.toQuantity()",
    "%a.toDate() - %b.toQuantity()",
    "%a.toDateTime() + %b.toQuantity()",
    "%a.toDateTime() - %b.toQuantity()",
    "%a.toTime() + %b.toQuantity()",
    "%a.toTime() - %b.toQuantity()",
    "%a.toDate() < %b.toDateTime() or %a.toTime() >= %b.toTime()",
    "%a.toDateTime() ~ %b.toDateTime() or %a.toDateTime() = %b.toDate()",
    "%a.toQuantity() + %b.toQuantity()",
    "%a.toQuantity() - %b.toQuantity()",
    "%a.toQuantity() * %b.toQuantity()",
    "%a.toQuantity() / %b.toQuantity()",
    "%a.toQuantity() * %b.toDecimal()",
    "%a.toQuantity() <= %b.toQuantity()",
    "%a.toQuantity() ~ %b.toQuantity()",
    "%a.toQuantity() = %b.toQuantity() and %a.toQuantity().comparable(%b.toQuantity())",
    "%a.toQuantity(%b)",
    "%a.toDecimal() + %b.toDecimal() * %a.toDecimal() - %b.toDecimal() / %a.toDecimal()",
    "%a.toDecimal() div %b.toDecimal()",
    "%a.toDecimal() mod %b.toInteger()",
    "%a.toInteger() + %b.toInteger() * %a.toInteger() - %b.toInteger()",
    "%a.toDecimal().power(%b.toDecimal())",
    "%a.toDecimal().round(%b.toInteger())",
    "%a.toDecimal().ln() | %a.toDecimal().exp() | %a.toDecimal().sqrt()",
    "%a.toDecimal().log(%b.toDecimal())",
    "%a.toDecimal().floor() | %a.toDecimal().ceiling() | %a.toDecimal().truncate() | %a.toDecimal().abs()",
    "%a.toDate().lowBoundary(%b.toInteger()) | %a.toDate().highBoundary()",
    "%a.toDateTime().lowBoundary() | %a.toDateTime().highBoundary(%b.toInteger())",
    "%a.toTime().lowBoundary(%b.toInteger()) | %a.toTime().highBoundary() | %a.toTime().precision()",
    "%a.toQuantity().lowBoundary(%b.toInteger()) | %a.toQuantity().highBoundary()",
    "%a.toDecimal().lowBoundary(%b.toInteger()) | %a.toDecimal().highBoundary() | %a.toDecimal().precision()",
    "%a.toDate().duration(%b.toDate(), 'months') | %a.toDateTime().difference(%b.toDateTime(), 'days')",
    "%a.toDateTime().yearOf() + %a.toDateTime().secondOf() | %a.toDateTime().millisecondOf()",
    "%a.toDateTime().timezoneOffsetOf() | %a.toDateTime().timeOf() | %a.toDateTime().dateOf()",
    "%a.substring(%b.toInteger(), 3) | %a.indexOf(%b) | %a.lastIndexOf(%b) | %a.split(%b)",
    "%a.encode('hex') | %a.encode('urlbase64') | %a.decode('base64') | %a.decode('hex')",
    "%a.escape('json').unescape('json') | %a.escape('html').unescape('html') | %b.unescape('json')",
    "%a.decode(%b) | %a.encode(%b) | %a.escape(%b)",
    "%a.convertsToDate() or %a.convertsToQuantity() or %a.convertsToQuantity(%b) or %a.convertsToTime()",
)
"""Programs over two texts, a and b."""

RESOURCES: Final[tuple[Any, ...]] = (
    {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "authored": "2026-01-02T10:00:00Z",
        "contained": [{"resourceType": "Patient", "id": "x", "active": True}],
        "item": [
            {"linkId": "pain.score", "answer": [{"valueInteger": 7}, {"valueDecimal": 6}]},
            {"linkId": "a", "answer": [{"valueCoding": {"system": "urn:x", "code": "x"}}]},
            {
                "linkId": "b",
                "item": [
                    {"linkId": "b.1", "answer": [{"valueDate": "2026-01"}, {"valueBoolean": False}]},
                    {
                        "linkId": "b.2",
                        "answer": [
                            {
                                "valueQuantity": {
                                    "value": 37,
                                    "unit": "kg",
                                    "system": "http://unitsofmeasure.org",
                                    "code": "kg",
                                }
                            },
                            {"valueTime": "10:11:12"},
                        ],
                    },
                ],
            },
        ],
    },
    {
        "resourceType": "Patient",
        "id": "p",
        "active": True,
        "name": [{"family": "Doe", "given": ["Jo", None], "_given": [None, {"id": "g"}]}, {"text": "J"}],
        "birthDate": "1974-12-25",
        "_birthDate": {
            "extension": [{"url": "https://example.org/a", "valueDateTime": "1974-12-25T14:35:45.1-05:00"}]
        },
        "_gender": {"id": "unknown"},
        "multipleBirthInteger": 2,
    },
    {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{number}",
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"coding": [{"code": str(number)}]},
                    "valueQuantity": {"value": number, "unit": "cm"},
                },
            }
            for number in range(3)
        ],
    },
    None,
    {"a": [1, "two", {"b": None, "c": [True]}], "item": [[{"linkId": 3}]], "name": {"given": {}}},
    {"resourceType": "Patient", "name": "Doe", "birthDate": 7, "active": "yes", "_gender": []},
)
"""Resources, nothing, JSON without a type, and a resource of the wrong shape."""

STARTS: Final = {
    "parse": EXPRESSIONS,
    "evaluate": tuple(f"{index % 6}{text}" for index, text in enumerate(EXPRESSIONS)),
    "patterns": (
        "(.)(a|b)*\nxaaby\n$2-$1",
        "(?<word>\\w+)\\s\none two\n${word}",
        "[^a-z]{2,3}$\n\u00e912\n\\$",
        "^(a+)+$\naaaaaaaaaaaaaaaaaaaaaaaa!\n",
        "(?i)\\p{L}\\b\nAb\n$0",
    ),
    "values": (
        "2015-02-04T14:34:28.123+10:00\n4.5 days",
        "2015\n1 year",
        "23:59:59.999\n-61 seconds",
        "4.50 'mg'\n3 'g/L'",
        "120 'mm[Hg]'\n1 '1'",
        "37 'Cel'\n98.6 '[degF]'",
        "-0.001\n8",
        "9999-12-31\n2 'wk'",
        '<a href="x">\nhtml',
    ),
}
"""Where each target starts; `resources` starts from RESOURCES."""
