"""All checks, by subject."""

from infra.stacks.checks import (
    alarm_paths,
    at_rest,
    claims,
    crawling,
    deliveries,
    device_access,
    exposure,
    functions_and_tasks,
    iot_rules,
    lifecycles,
    log_groups,
    networking,
    open_policies,
    permissions,
    projections,
    protection,
    quotas,
    tagging,
)
from infra.stacks.checks.finding import Check, Finding
from infra.stacks.checks.synthesised import Synthesised

CHECKS: tuple[Check, ...] = (
    open_policies.no_policy_is_open_to_all,
    open_policies.no_other_account_is_let_in,
    open_policies.services_act_for_this_account,
    open_policies.functions_are_called_by_what_is_named,
    open_policies.trusts_name_their_action,
    permissions.no_role_is_an_administrator,
    permissions.resources_are_named,
    permissions.passed_roles_are_named,
    permissions.services_write_their_prefixes,
    permissions.delivery_may_encrypt,
    networking.nothing_comes_in_from_anywhere,
    networking.what_leaves_is_named,
    networking.endpoints_have_policies,
    networking.called_services_have_endpoints,
    networking.flows_are_logged,
    networking.nothing_has_a_public_address,
    exposure.plain_http_is_denied,
    exposure.buckets_are_private,
    exposure.databases_are_private,
    exposure.databases_want_tls,
    exposure.people_are_made_by_administrators,
    exposure.load_balancers_speak_tls,
    at_rest.data_is_encrypted,
    at_rest.query_results_are_encrypted,
    at_rest.keys_rotate,
    at_rest.nobody_has_standing_keys,
    at_rest.secrets_are_in_no_template,
    log_groups.log_groups_have_an_end,
    log_groups.log_groups_are_declared,
    log_groups.warehouses_and_registries_log,
    log_groups.buckets_log_their_requests,
    protection.what_holds_data_outlives_its_stack,
    protection.a_failed_creation_leaves_nothing_behind,
    protection.stacks_with_data_are_protected,
    protection.databases_are_protected,
    protection.spending_has_an_end,
    lifecycles.the_lake_is_kept,
    lifecycles.what_was_overwritten_can_come_back,
    lifecycles.raw_can_be_read_while_data_is_late,
    lifecycles.abandoned_uploads_go,
    projections.tables_can_be_read,
    projections.projections_have_the_right_form,
    crawling.crawlers_have_a_database_of_their_own,
    crawling.crawlers_stay_in_the_lake,
    crawling.databases_are_the_configurations,
    device_access.iot_policy_is_bound_to_the_thing,
    iot_rules.iot_rule_has_error_action,
    iot_rules.rules_read_the_contract_s_topic,
    iot_rules.every_message_has_one_rule,
    iot_rules.rules_write_the_raw_zone,
    iot_rules.a_device_stays_on_one_shard,
    claims.provisioning_asks_first,
    claims.the_hook_refuses,
    deliveries.queue_has_dead_letter_queue,
    deliveries.letters_wait_for_a_fortnight,
    deliveries.firehose_has_error_prefix,
    deliveries.firehose_writes_the_raw_zone,
    deliveries.the_stream_outlasts_a_fault,
    deliveries.raw_objects_are_told_of,
    deliveries.calls_that_fail_are_kept,
    functions_and_tasks.runtimes_are_patched,
    functions_and_tasks.functions_are_bounded,
    functions_and_tasks.containers_are_confined,
    functions_and_tasks.builds_are_not_privileged,
    alarm_paths.alarms_are_heard,
    alarm_paths.functions_are_watched,
    alarm_paths.jobs_are_watched,
    alarm_paths.publishers_may_encrypt,
    alarm_paths.trails_can_be_written,
    tagging.everything_is_tagged,
    quotas.quotas_are_kept,
)


def findings_of(environment: Synthesised) -> list[Finding]:
    """Every finding of an environment, acknowledged or not."""
    return [
        Finding(check.__name__, resource.stack, resource.name, problem)
        for check in CHECKS
        for resource, problem in check(environment)
    ]


def acknowledged_id(check: str) -> str:
    """What a finding of our own is acknowledged by: `accept(construct, "Platform::<check>", reason)`.

    With `[<problem>]` behind it, of this problem alone.
    """
    return f"Platform::{check}"
