
import accounts.models.domains
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models import F

from mailsales import wall


def prove_one_by_one(apps, schema_editor):
    """Give each domain a proof of its own, and let the keys go on signing."""
    for domain in apps.get_model("accounts", "Domain").objects.all():
        domain.proof = accounts.models.domains.make_proof()
        domain.save(update_fields=["proof"])
    apps.get_model("accounts", "DkimKey").objects.update(active_at=F("created_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_sealed_route_and_warmup'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ip', models.GenericIPAddressField(blank=True, null=True)),
                ('action', models.CharField(max_length=60)),
                ('about', models.CharField(blank=True, max_length=300)),
                ('details', models.JSONField(blank=True, default=dict)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'db_table': 'audit_entry',
            },
        ),
        migrations.CreateModel(
            name='BlocklistAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=253)),
                ('list', models.CharField(max_length=100)),
                ('state', models.CharField(choices=[('clean', 'Not listed'), ('listed', 'Listed'), ('unknown', 'No answer')], max_length=20)),
                ('text', models.CharField(blank=True, max_length=300)),
                ('checked_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'blocklist_answer',
            },
        ),
        migrations.CreateModel(
            name='Brand',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='brand', serialize=False, to='accounts.account')),
                ('color', models.CharField(blank=True, max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-f]{6}$', 'Enter a colour in the form “#1f3a93”.')], verbose_name='Colour')),
                ('logo', models.BinaryField(blank=True, default=b'')),
                ('logo_type', models.CharField(blank=True, max_length=20)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'brand',
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254)),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tries', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('is_sent', models.BooleanField(db_default=False, default=False)),
                ('reply', models.CharField(blank=True, db_default='', max_length=500)),
            ],
            options={
                'db_table': 'notice',
            },
        ),
        migrations.AddField(
            model_name='account',
            name='fault_percent',
            field=models.PositiveSmallIntegerField(db_default=10, default=10, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='Percent refused because of us that pause a campaign'),
        ),
        migrations.AddField(
            model_name='account',
            name='retry_days',
            field=models.PositiveSmallIntegerField(db_default=90, default=90, validators=[django.core.validators.MinValueValidator(7), django.core.validators.MaxValueValidator(365)], verbose_name='Days until such an address is tried again'),
        ),
        migrations.AddField(
            model_name='account',
            name='soft_bounce_days',
            field=models.PositiveSmallIntegerField(db_default=5, default=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(30)], verbose_name='Days with a temporary failure'),
        ),
        migrations.AddField(
            model_name='account',
            name='soft_bounce_window',
            field=models.PositiveSmallIntegerField(db_default=30, default=30, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(90)], verbose_name='within so many days'),
        ),
        migrations.AddField(
            model_name='dkimkey',
            name='active_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dkimkey',
            name='is_imported',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='dkimkey',
            name='published_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dkimkey',
            name='retired_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='domain',
            name='broken_since',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='domain',
            name='checked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='domain',
            name='findings',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='domain',
            name='is_tracking_ready',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='domain',
            name='proof',
            field=models.CharField(default=accounts.models.domains.make_proof, editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name='domain',
            name='proven_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='domain',
            name='state',
            field=models.CharField(choices=[('unproven', 'Not confirmed'), ('good', 'Ready'), ('partly', 'Nearly ready'), ('broken', 'Broken')], db_default='unproven', default='unproven', max_length=20),
        ),
        migrations.AddField(
            model_name='domain',
            name='tracking_label',
            field=models.CharField(blank=True, db_default='', max_length=63, verbose_name='Name for links'),
        ),
        migrations.AddField(
            model_name='user',
            name='verified_email',
            field=models.EmailField(blank=True, db_default='', max_length=254),
        ),
        migrations.RunPython(prove_one_by_one, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='dkimkey',
            constraint=models.UniqueConstraint(condition=models.Q(('active_at__isnull', False), ('retired_at', None)), fields=('domain', 'algorithm'), name='one_signing_key_per_algorithm'),
        ),
        migrations.AddConstraint(
            model_name='domain',
            constraint=models.UniqueConstraint(condition=models.Q(('proven_at__isnull', False)), fields=('name',), name='one_holder_per_domain'),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='account',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account'),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='user',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='blocklistanswer',
            constraint=models.UniqueConstraint(fields=('name', 'list'), name='one_answer_per_blocklist'),
        ),
        migrations.AddField(
            model_name='notice',
            name='account',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['account', '-id'], name='audit_newest'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('settled_at', None)), fields=['due_at'], name='notice_waiting'),
        ),
        *wall.guard("notice", "audit_entry", "brand"),
    ]
