"""Studies for programs, to read: what the pages of results show, as JSON."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from accounts.http import signed_in
from recognition.api import schema
from recognition.api.pagination import CursorPages
from recognition.api.serializers import LABELS
from studies.models import Block, Participation, Study
from studies.results import bootstrap, grouping
from studies.results.bootstrap import Estimates
from studies.results.download_pages import written_down
from studies.results.figures import FIGURES
from studies.results.loading import StudyData, load_for
from studies.results.numbers import number
from studies.results.rules import Reason


class StudyBlockSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Block.Kind.values)


class StudyLinksSerializer(serializers.Serializer):
    page = serializers.URLField(help_text="The page for people; it needs a browser's session.")
    participants = serializers.URLField()
    blocks = serializers.URLField()
    curves = serializers.URLField()


class StudySerializer(serializers.ModelSerializer):
    """A study that one owns or works on."""

    status = serializers.ChoiceField(choices=Study.Status.values)
    n_participants = serializers.IntegerField(help_text="Who agreed to take part.")
    n_finished = serializers.IntegerField()
    n_withdrawn = serializers.IntegerField()
    blocks = StudyBlockSerializer(many=True, help_text="In the order of the plan.")
    links = serializers.SerializerMethodField()

    class Meta:
        model = Study
        fields = (
            "id", "title", "question", "status", "created_at", "opened_at", "closed_at",
            "n_participants", "n_finished", "n_withdrawn", "blocks", "links",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(StudyLinksSerializer)
    def get_links(self, study: Study) -> dict[str, str]:
        def link(name: str) -> str:
            return reverse(name, args=[study.pk], request=self.context["request"])

        return {
            "page": link("studies:results"),
            "participants": link("api-study-participants"),
            "blocks": link("api-study-blocks"),
            "curves": link("api-study-curves"),
        }


class StudyParticipantSerializer(serializers.Serializer):
    """One participant: a number, never a name or a picture."""

    participant = serializers.CharField(help_text="P001 and so on.")
    condition = serializers.CharField(help_text="Empty without one.")
    state = serializers.ChoiceField(choices=Participation.State.values)
    external_id = serializers.CharField(help_text="That a panel or a personal link gave.")
    attributes = serializers.DictField(child=serializers.CharField())
    excluded = serializers.ListField(
        child=serializers.ChoiceField(choices=[reason.value for reason in Reason]),
        help_text="Why results leave the participant out; empty for who is in.",
    )
    face_share = serializers.FloatField(min_value=0, max_value=1, allow_null=True)
    frames_per_second = serializers.FloatField(min_value=0, allow_null=True)
    consented_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class StudyParticipantsSerializer(serializers.Serializer):
    participants = StudyParticipantSerializer(many=True)


class EstimateSerializer(serializers.Serializer):
    """A mean over participants with its 95 % interval; null where there are too few."""

    mean = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class LabelFiguresSerializer(serializers.Serializer):
    label = serializers.ChoiceField(choices=LABELS)  # type: ignore[assignment]
    mean = EstimateSerializer()
    peak = EstimateSerializer()
    latency = EstimateSerializer(help_text="Seconds from the block's start to the peak.")
    share = EstimateSerializer(help_text="Of the time at which the label is the likeliest.")


class GroupFiguresSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="Condition or value; empty for everybody.")
    n = serializers.IntegerField(help_text="Participants of whom anything is known.")
    figures = LabelFiguresSerializer(many=True)


class BlockFiguresSerializer(StudyBlockSerializer):
    groups = GroupFiguresSerializer(many=True)


class StudyFiguresSerializer(serializers.Serializer):
    resamples = serializers.IntegerField()
    blocks = BlockFiguresSerializer(many=True)


class LabelCurveSerializer(serializers.Serializer):
    """Values at the seconds of the group; null where nothing is known."""

    label = serializers.ChoiceField(choices=LABELS)  # type: ignore[assignment]
    mean = serializers.ListField(child=serializers.FloatField(allow_null=True))
    low = serializers.ListField(child=serializers.FloatField(allow_null=True))
    high = serializers.ListField(child=serializers.FloatField(allow_null=True))


class GroupCurvesSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="Condition or value; empty for everybody.")
    n = serializers.IntegerField()
    seconds = serializers.ListField(
        child=serializers.FloatField(), help_text="Since the block's start."
    )
    curves = LabelCurveSerializer(many=True)


class StudyCurvesSerializer(serializers.Serializer):
    block = StudyBlockSerializer()
    groups = GroupCurvesSerializer(many=True)


class ViewOptions(serializers.Serializer):
    """How results are looked at."""

    by = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        help_text="`condition`, or `attribute:` and its name; everybody together without it.",
    )
    values = serializers.ChoiceField(
        choices=["raw", "corrected"],
        default="raw",
        help_text="`corrected`: change from the mean of the baseline.",
    )


class CurvesOptions(ViewOptions):
    block = serializers.CharField(help_text="Name of the block.")


@extend_schema_view(
    list=extend_schema(
        summary=gettext_noop("List studies"),
        description="One's own and those one works on, newest first.",
    ),
    retrieve=extend_schema(summary=gettext_noop("Look at a study")),
)
@extend_schema(tags=["studies"])
class StudyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Studies of the team."""

    serializer_class = StudySerializer
    pagination_class = CursorPages
    lookup_value_converter = "uuid"
    orders = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}

    def get_queryset(self) -> QuerySet[Study]:
        real = Q(participations__is_preview=False)
        finished = real & Q(participations__state=Participation.State.FINISHED)
        return (
            Study.objects.for_team(self.request.user)
            .annotate(
                n_participants=Count("participations", filter=real),
                n_finished=Count("participations", filter=finished),
            )
            # Without their texts: two hundred studies may have forty thousand blocks.
            .prefetch_related(Prefetch("blocks", Block.objects.only("study", "name", "kind")))
        )

    def _data(self, *, has_curves: bool = True) -> StudyData:
        readable = Study.objects.for_team(self.request.user)
        study = get_object_or_404(readable, pk=self.kwargs["pk"])
        data = load_for(signed_in(self.request), study, has_curves=has_curves)
        if self.request.method != "HEAD":
            written_down(study, signed_in(self.request), self.action)
        return data

    @extend_schema(
        operation_id="studies_participants",
        summary=gettext_noop("List a study's participants"),
        description="By number, with those that results leave out.",
        responses={200: StudyParticipantsSerializer},
    )
    @action(detail=True, pagination_class=None)
    def participants(self, request: Request, pk: UUID) -> Response:
        return Response(
            {
                "participants": [
                    {
                        "participant": one.name,
                        "condition": one.condition,
                        "state": one.participation.state,
                        "external_id": one.participation.external_id,
                        "attributes": {
                            name: str(value) for name, value in one.participation.attributes.items()
                        },
                        "excluded": [reason.value for reason in one.excluded],
                        "face_share": one.quality.face_share,
                        "frames_per_second": one.quality.frames_per_second,
                        "consented_at": one.participation.consented_at,
                        "finished_at": one.participation.finished_at,
                    }
                    for one in self._data(has_curves=False).participants
                ]
            }
        )

    @extend_schema(
        operation_id="studies_blocks",
        summary=gettext_noop("Read figures of a study's stimuli"),
        description="docs/STUDY_RESULTS.md says how they are computed.",
        parameters=[ViewOptions],
        responses={200: StudyFiguresSerializer, **schema.problems("invalid")},
    )
    @action(detail=True, pagination_class=None)
    def blocks(self, request: Request, pk: UUID) -> Response:
        data = self._data()
        asked = _asked(ViewOptions, request)
        view = _view(data, asked)
        groups = grouping.groups_of(data, view.by)
        return Response(
            {
                "resamples": bootstrap.RESAMPLES,
                "blocks": [_block_figures(data, groups, one, view) for one in data.stimuli],
            }
        )

    @extend_schema(
        operation_id="studies_curves",
        summary=gettext_noop("Read curves of one of a study's stimuli"),
        description="At most 120 points, as the page shows them.",
        parameters=[CurvesOptions],
        responses={200: StudyCurvesSerializer, **schema.problems("invalid")},
    )
    @action(detail=True, pagination_class=None)
    def curves(self, request: Request, pk: UUID) -> Response:
        data = self._data()
        asked = _asked(CurvesOptions, request)
        view = _view(data, asked)
        block = next((one for one in data.stimuli if one.name == asked["block"]), None)
        if block is None:
            raise ValidationError({"block": ["The study has no such stimulus."]})
        return Response(
            {
                "block": _about(block),
                "groups": [
                    _group_curves(data, group, block, view)
                    for group in grouping.groups_of(data, view.by)
                ],
            }
        )


def _asked(options: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    found = options(data=request.query_params)
    found.is_valid(raise_exception=True)
    asked: dict[str, Any] = found.validated_data
    return asked


def _view(data: StudyData, asked: dict[str, Any]) -> grouping.View:
    view = grouping.view_of(data, asked)
    if view.by != asked["by"]:
        raise ValidationError({"by": ["Neither condition nor an attribute of participants."]})
    return view


def _about(block: Block) -> dict[str, Any]:
    return {"id": block.pk, "name": block.name, "kind": block.kind}


def _block_figures(
    data: StudyData, groups: list[grouping.Group], block: Block, view: grouping.View
) -> dict[str, Any]:
    found = []
    for group in groups:
        result = grouping.result_of(data, group, block, view)
        figures = [
            {
                "label": label,
                **{name: _estimate(result.figures, row, place) for row, name in enumerate(FIGURES)},
            }
            for place, label in enumerate(data.labels)
        ]
        found.append({"name": group.name, "n": result.n, "figures": figures})
    return {**_about(block), "groups": found}


def _estimate(figures: Estimates, row: int, place: int) -> dict[str, float | None]:
    return {
        "mean": number(figures.mean[row, place]),
        "low": number(figures.low[row, place]),
        "high": number(figures.high[row, place]),
    }


def _group_curves(
    data: StudyData, group: grouping.Group, block: Block, view: grouping.View
) -> dict[str, Any]:
    result = grouping.result_of(data, group, block, view)
    values = result.curve.values
    return {
        "name": group.name,
        "n": result.n,
        "seconds": result.curve.seconds.tolist(),
        "curves": [
            {
                "label": label,
                **{
                    name: [number(value) for value in getattr(values, name)[:, place]]
                    for name in ("mean", "low", "high")
                },
            }
            for place, label in enumerate(data.labels)
        ],
    }


router = SimpleRouter(use_regex_path=False)
router.register("studies", StudyViewSet, basename="api-study")
urlpatterns = router.urls
