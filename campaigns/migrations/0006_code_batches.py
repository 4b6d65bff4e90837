import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0005_coupon_life'),
        ('shop', '0002_promotion_uses'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CapBucket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(64)], verbose_name='number')),
                ('definition', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='buckets', to='campaigns.coupondefinition', verbose_name='definition')),
                ('cap', models.PositiveIntegerField(blank=True, null=True, verbose_name='at most')),
                ('issued_count', models.PositiveIntegerField(default=0, verbose_name='issued')),
            ],
            options={
                'verbose_name': 'bucket of coupons',
                'verbose_name_plural': 'buckets of coupons',
            },
        ),
        migrations.CreateModel(
            name='CodeBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('definition', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='campaigns.coupondefinition', verbose_name='coupon')),
                ('kind', models.CharField(choices=[('each', 'a code on every paper'), ('shared', 'one word for all')], default='each', max_length=8, verbose_name='kind')),
                ('label', models.CharField(max_length=80, verbose_name='label')),
                ('area', models.CharField(blank=True, default='', help_text='Where they are handed out.', max_length=80, verbose_name='area')),
                ('quantity', models.PositiveIntegerField(blank=True, help_text='Papers, or uses of the word at most.', null=True, verbose_name='quantity')),
                ('prefix', models.CharField(blank=True, default='', max_length=6, verbose_name='prefix')),
                ('length', models.PositiveSmallIntegerField(default=14, help_text='Characters after the prefix, the last of which is a check.', verbose_name='length')),
                ('word', models.CharField(blank=True, max_length=24, null=True, verbose_name='word')),
                ('made_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='made')),
                ('used_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='used')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('created_by', models.CharField(max_length=64, verbose_name='created by')),
                ('voided_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='voided')),
            ],
            options={
                'verbose_name': 'batch of codes',
                'verbose_name_plural': 'batches of codes',
            },
        ),
        migrations.CreateModel(
            name='BatchCode',
            fields=[
                ('pk', models.CompositePrimaryKey('batch_id', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='campaigns.codebatch', verbose_name='batch')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('code', models.CharField(db_collation='C', max_length=24, verbose_name='code')),
            ],
            options={
                'verbose_name': 'printed code',
                'verbose_name_plural': 'printed codes',
            },
        ),
        migrations.RemoveConstraint(
            model_name='coupondefinition',
            name='coupon_definition_redeemed_within_issued',
        ),
        migrations.AddField(
            model_name='coupondefinition',
            name='claim_buckets',
            field=models.PositiveSmallIntegerField(default=1, help_text='More than one for a rush: claims then do not wait for each other.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(64)], verbose_name='buckets'),
        ),
        migrations.AddField(
            model_name='coupondefinition',
            name='is_for_guests',
            field=models.BooleanField(default=False, help_text='A printed code is worth the discount at the till, member or not.', verbose_name='guests may use its codes'),
        ),
        migrations.AlterField(
            model_name='coupon',
            name='member',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='coupons', to='shop.member', verbose_name='member'),
        ),
        migrations.AlterField(
            model_name='coupon',
            name='slot',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='nth of its kind'),
        ),
        migrations.AddConstraint(
            model_name='coupondefinition',
            constraint=models.CheckConstraint(condition=models.Q(('claim_buckets__gte', 1)), name='coupon_definition_has_a_bucket'),
        ),
        migrations.AddField(
            model_name='coupon',
            name='batch',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='coupons', to='campaigns.codebatch', verbose_name='batch'),
        ),
        migrations.AddIndex(
            model_name='coupon',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch', 'member'], name='coupon_by_batch'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('member__isnull', True), ('slot__isnull', True)), models.Q(('member__isnull', False), ('slot__isnull', False)), _connector='OR'), name='coupon_slot_of_a_member'),
        ),
        migrations.AddConstraint(
            model_name='capbucket',
            constraint=models.UniqueConstraint(fields=('definition', 'number'), name='cap_bucket_once'),
        ),
        migrations.AddConstraint(
            model_name='capbucket',
            constraint=models.CheckConstraint(condition=models.Q(('cap__isnull', True), ('issued_count__lte', models.F('cap')), _connector='OR'), name='cap_bucket_within_cap'),
        ),
        migrations.AddConstraint(
            model_name='codebatch',
            constraint=models.UniqueConstraint(fields=('word',), name='code_batch_word_once'),
        ),
        migrations.AddConstraint(
            model_name='codebatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'shared'), ('word__isnull', False)), models.Q(('kind', 'each'), ('quantity__isnull', False), ('word__isnull', True)), _connector='OR'), name='code_batch_has_a_word_or_a_quantity'),
        ),
        migrations.AddConstraint(
            model_name='codebatch',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__isnull', True), models.Q(('made_count__lte', models.F('quantity')), ('used_count__lte', models.F('quantity'))), _connector='OR'), name='code_batch_within_quantity'),
        ),
        migrations.AddConstraint(
            model_name='batchcode',
            constraint=models.UniqueConstraint(fields=('code',), name='batch_code_once'),
        ),
    ]
